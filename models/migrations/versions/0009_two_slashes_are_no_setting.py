"""Two slashes begin a note for every licence, so that no setting names them any more."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_OLD_DEFAULT = "note: //"
_DEFAULT = "note: notitie: notiz:"
_LICENCES = sa.table("licences", sa.column("id"), sa.column("note_prefixes"))


def upgrade() -> None:
    connection = op.get_bind()
    rows = sa.select(_LICENCES.c.id, _LICENCES.c.note_prefixes)
    for licence_id, setting in connection.execute(rows).all():
        if "//" in setting:
            these = sa.update(_LICENCES).where(_LICENCES.c.id == licence_id)
            connection.execute(these.values(note_prefixes=_without_slashes(setting)))
    if connection.dialect.name == "postgresql":
        # SQLite would have to copy the table for it, and with it drop what refers to it. There no
        # row is made without a value.
        op.alter_column("licences", "note_prefixes", server_default=_DEFAULT)


def _without_slashes(setting: str) -> str:
    """Return the prefixes without those that begin with two slashes: they are notes anyway."""
    if setting == _OLD_DEFAULT:
        return _DEFAULT
    return " ".join(prefix for prefix in setting.split() if not prefix.startswith("//"))


def downgrade() -> None:
    """Leave the settings: the version before takes two slashes for a note as well."""
