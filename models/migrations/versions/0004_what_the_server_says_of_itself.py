"""The server's version, and how the server shows threads."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_LENGTH = 40


def upgrade() -> None:
    for name in ("server_version", "collapsed_threads"):
        op.add_column(
            "licences",
            sa.Column(name, sa.String(length=_LENGTH), nullable=False, server_default=""),
        )


def downgrade() -> None:
    for name in ("collapsed_threads", "server_version"):
        op.drop_column("licences", name)
