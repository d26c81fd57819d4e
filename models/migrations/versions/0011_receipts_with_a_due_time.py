"""When the bot is to mark a post, and the mark that the post has."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# Until now the bot marked each post at once, so these posts have a mark. If a mark is gone, the bot
# later makes one request too many.
_GIVEN = """
UPDATE replies SET receipt = CASE
  WHEN state = 'recorded' AND visibility = 'internal' THEN 'lock'
  WHEN state = 'recorded' THEN 'white_check_mark'
  ELSE 'warning' END
WHERE (state IN ('recorded', 'empty') OR next_attempt_at >= '9999-01-01')
  AND licence_id IN (SELECT id FROM licences WHERE receipts)
"""
_IS_DUE = sa.text("receipt_due_at IS NOT NULL")


def upgrade() -> None:
    op.add_column("replies", sa.Column("receipt", sa.String(length=16)))
    op.add_column("replies", sa.Column("receipt_due_at", sa.DateTime(timezone=True)))
    op.create_index(
        "ix_replies_receipts_due",
        "replies",
        ["receipt_due_at"],
        postgresql_where=_IS_DUE,
        sqlite_where=_IS_DUE,
    )
    op.execute(_GIVEN)


def downgrade() -> None:
    op.drop_index("ix_replies_receipts_due", table_name="replies")
    op.drop_column("replies", "receipt_due_at")
    op.drop_column("replies", "receipt")
