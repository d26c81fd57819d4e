"""Which posts are for the visitor, and how long a reply waits before i-Reserve gets it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_SETTINGS = (
    ("reply_mode", sa.String(length=16), "all"),
    ("reply_prefixes", sa.String(length=200), "reply: antwoord: antwort: r:"),
    ("reply_pause_s", sa.Integer(), "0"),
)


def upgrade() -> None:
    for name, kind, default in _SETTINGS:
        op.add_column("licences", sa.Column(name, kind, nullable=False, server_default=default))
    op.add_column("replies", sa.Column("paused_until", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("replies", "paused_until")
    for name, _, _ in _SETTINGS:
        op.drop_column("licences", name)
