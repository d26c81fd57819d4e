"""``db``: the database's schema."""

from __future__ import annotations

import sys

from models.limits import MIGRATION
from models.migrations import schema_state
from models.migrations import upgrade as upgrade_schema
from models.migrations.upgrade import SchemaState
from tasks.cli.installation import Installation
from tasks.cli.interruption import on_interrupt
from tasks.cli.operator import log_change
from tasks.cli.output import show


def upgrade() -> None:
    """Bring the database to the newest schema; safe to run again."""
    with on_interrupt(lambda: "Each migration is done whole or not at all: run it again."):
        state = upgrade_schema(Installation(limits=MIGRATION).database)
    log_change("db upgrade", revision=state.current)
    show(_data(state), f"The database is at revision {state.current}.")


def check() -> None:
    """Show whether the schema is the newest one; exit with 1 if it is not."""
    state = schema_state(Installation().database)
    cure = "" if state.is_current else " Run `ireserve-mattermost db upgrade`."
    show(
        _data(state),
        f"The database is at revision {state.current or 'none'}, newest: {state.newest}.{cure}",
    )
    sys.exit(0 if state.is_current else 1)


def _data(state: SchemaState) -> dict[str, object]:
    return {"current": state.current, "newest": state.newest, "is_current": state.is_current}
