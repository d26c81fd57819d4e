"""Alembic's entry point: runs the migrations on the engine of Alembic's configuration."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, Engine, text

from models import Base

# Any number, but the same in every process, so that two deploys upgrade one after the other.
ADVISORY_LOCK = 7_262_015


def run() -> None:
    """Run the migrations in one transaction."""
    engine: Engine = context.config.attributes["engine"]
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})"))
        _run_on(connection)


def _run_on(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
