"""The language and the time zone of a licence's team."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, length, default in [("language", 16, "en"), ("time_zone", 64, "UTC")]:
        column = sa.Column(name, sa.String(length=length), nullable=False, server_default=default)
        op.add_column("licences", column)


def downgrade() -> None:
    op.drop_column("licences", "time_zone")
    op.drop_column("licences", "language")
