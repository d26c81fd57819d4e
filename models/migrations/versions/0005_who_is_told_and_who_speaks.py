"""The members that a root post mentions, and how a thread shows the names of visitor and agent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "licences", sa.Column("mention", sa.String(length=700), nullable=False, server_default="")
    )
    op.add_column(
        "licences",
        sa.Column("names", sa.String(length=16), nullable=False, server_default="header"),
    )
    op.add_column(
        "licences",
        sa.Column("allows_own_names", sa.Boolean(), nullable=False, server_default=sa.false()),
    )


def downgrade() -> None:
    for name in ("allows_own_names", "names", "mention"):
        op.drop_column("licences", name)
