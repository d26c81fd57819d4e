"""The migrations make exactly the tables that the models describe, on both databases."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from models import Base, Database
from models.migrations import schema_state, upgrade


def test_migrated_schema_is_the_models_schema(database: Database) -> None:
    """Alembic finds no difference between the migrated database and the models."""
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, Base.metadata)

    assert differences == []


def test_upgrade_can_be_repeated(database: Database) -> None:
    """A second upgrade changes nothing and says that the schema is current."""
    state = upgrade(database)

    assert state.is_current
    assert state == schema_state(database)


def test_sqlite_is_in_wal_mode_and_waits_for_other_writers(sqlite_url: str) -> None:
    """The embedded database is set up for several writers at once."""
    database = Database(sqlite_url)

    with database.transaction() as session:
        mode = session.execute(text("PRAGMA journal_mode")).scalar()
        patience_ms = session.execute(text("PRAGMA busy_timeout")).scalar()

    database.dispose()
    assert (mode, patience_ms) == ("wal", 30_000)
