"""The schema's history, and how a database is brought up to it."""

from models.migrations.upgrade import SchemaState, schema_state, upgrade

__all__ = ["SchemaState", "schema_state", "upgrade"]
