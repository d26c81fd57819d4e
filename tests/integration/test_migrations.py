"""The migrations make exactly the tables that the models describe, on both databases."""

from __future__ import annotations

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import select, text, update

from models import Base, Database, Licence
from models.licence import DEFAULT_NOTE_PREFIXES
from models.migrations import schema_state, upgrade
from models.migrations.upgrade import alembic_config
from tasks.replies.notes import prefixes_of
from tests.stage.stage import LICENCE
from tests.webhook_calls import add_licence


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
    """SQLite is in WAL mode and waits for other writers."""
    database = Database(sqlite_url)

    with database.transaction() as session:
        mode = session.execute(text("PRAGMA journal_mode")).scalar()
        patience_ms = session.execute(text("PRAGMA busy_timeout")).scalar()

    database.dispose()
    assert (mode, patience_ms) == ("wal", 30_000)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("note: //", DEFAULT_NOTE_PREFIXES, id="the default of then"),
        pytest.param("intern: // nb:", "intern: nb:", id="among others"),
        pytest.param("//intern", "", id="alone"),
        pytest.param("intern: a//b", "intern: a//b", id="in the middle"),
    ],
)
def test_two_slashes_leave_the_settings_and_stay_a_note(
    database: Database, before: str, after: str
) -> None:
    """The migration removes two slashes from stored prefixes, and they still begin a note."""
    add_licence(database, LICENCE)
    command.downgrade(alembic_config(database), "0008")
    with database.transaction() as session:
        session.execute(update(Licence).values(note_prefixes=before))

    upgrade(database)

    with database.snapshot() as session:
        (setting,) = session.scalars(select(Licence.note_prefixes)).all()
    assert setting == after
    assert prefixes_of(setting).matches("// for us")


def test_licence_without_prefixes_of_its_own_gets_the_default_from_the_database_too(
    database: Database,
) -> None:
    """A row inserted without the models also gets the default prefixes."""
    words = dict.fromkeys(
        ("id", "server_url", "team_id", "team_name", "default_channel_id", "default_channel_name",
         "bot_user_id", "bot_username", "bot_token_encrypted"),
        "'x'",
    )  # fmt: skip
    numbers = dict.fromkeys(("max_post_size", "max_file_size_bytes"), "1")
    moments = dict.fromkeys(("created_at", "updated_at"), "'2026-01-01 00:00:00'")
    columns = {**words, **numbers, **moments, "enabled": "true"}
    names, values = ", ".join(columns), ", ".join(columns.values())

    with database.transaction() as session:
        session.execute(text(f"INSERT INTO licences ({names}) VALUES ({values})"))
        (setting,) = session.execute(text("SELECT note_prefixes FROM licences")).scalars()

    assert setting == DEFAULT_NOTE_PREFIXES
