"""The name of a message in i-Reserve's own logs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "deliveries", sa.Column("caller_correlation_id", sa.String(length=100), nullable=True)
    )


def downgrade() -> None:
    op.drop_column("deliveries", "caller_correlation_id")
