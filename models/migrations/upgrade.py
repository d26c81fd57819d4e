"""Upgrades a database to the newest schema, and reads which schema it has."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from models.session import Database


@dataclass(frozen=True, slots=True)
class SchemaState:
    """The revision that a database is at (None: empty) and the newest one there is."""

    current: str | None
    newest: str | None

    @property
    def is_current(self) -> bool:
        """Whether nothing is left to upgrade."""
        return self.current == self.newest


def alembic_config(database: Database) -> Config:
    """Return Alembic's configuration for this database; there is no ini file."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    config.attributes["engine"] = database.engine
    return config


def upgrade(database: Database) -> SchemaState:
    """Upgrade the database to the newest schema; safe to repeat, and to run twice at once."""
    command.upgrade(alembic_config(database), "head")
    return schema_state(database)


def schema_state(database: Database) -> SchemaState:
    """Return the revision of the database's schema, and the newest revision."""
    newest = ScriptDirectory.from_config(alembic_config(database)).get_current_head()
    with database.engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    return SchemaState(current=current, newest=newest)
