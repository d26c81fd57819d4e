"""What a root post shows of its conversation, and whether the server allows edits at any time."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_COLUMNS: dict[str, sa.types.TypeEngine[Any]] = {
    "question": sa.Text(),
    "subject": sa.Text(),
    "page_title": sa.Text(),
    "conversation_url": sa.Text(),
    "fields": sa.JSON(none_as_null=True),
    "state": sa.String(length=16),
    "state_at": _MOMENT,
    "assignee_user_id": sa.String(length=100),
    "assignee_name": sa.Text(),
    "assignee_username": sa.String(length=64),
    "revision": sa.BigInteger(),
    "waiting_since": _MOMENT,
    "answered_at": _MOMENT,
    "card_digest": sa.String(length=32),
    "card_changed_at": _MOMENT,
}


def upgrade() -> None:
    # Without a batch, so that SQLite does not copy the table.
    for name, kind in _COLUMNS.items():
        op.add_column("conversations", sa.Column(name, kind, nullable=True))
    op.create_index(
        "ix_conversations_card_changed_at",
        "conversations",
        ["card_changed_at"],
        unique=False,
        postgresql_where=sa.text("card_changed_at IS NOT NULL"),
        sqlite_where=sa.text("card_changed_at IS NOT NULL"),
    )
    op.add_column(
        "licences",
        sa.Column("allows_edits", sa.Boolean(), nullable=False, server_default=sa.true()),
    )


def downgrade() -> None:
    op.drop_column("licences", "allows_edits")
    op.drop_index("ix_conversations_card_changed_at", "conversations")
    for name in reversed(_COLUMNS):
        op.drop_column("conversations", name)
