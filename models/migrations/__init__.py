"""The history of the schema, and the functions that upgrade a database to the newest one."""

from models.migrations.upgrade import SchemaState, schema_state, upgrade

__all__ = ["SchemaState", "schema_state", "upgrade"]
