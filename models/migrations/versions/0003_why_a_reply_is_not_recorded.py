"""Why a reply is not recorded."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Without a batch, so that SQLite does not copy the table.
    op.add_column("replies", sa.Column("reason", sa.String(length=40), nullable=True))
    op.add_column("replies", sa.Column("detail", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("replies", "detail")
    op.drop_column("replies", "reason")
