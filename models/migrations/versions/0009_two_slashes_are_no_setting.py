"""Remove two slashes from the note prefixes, because they begin a note for every licence."""

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
        # SQLite would copy the table for this, and delete the rows that refer to it. There, each
        # new row has a value anyway.
        op.alter_column("licences", "note_prefixes", server_default=_DEFAULT)


def _without_slashes(setting: str) -> str:
    """Return the prefixes without those that begin with two slashes, which always make a note."""
    if setting == _OLD_DEFAULT:
        return _DEFAULT
    return " ".join(prefix for prefix in setting.split() if not prefix.startswith("//"))


def downgrade() -> None:
    """Change nothing, because the version before also takes two slashes for a note."""
