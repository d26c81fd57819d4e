"""An index of the replies' missing files, for the metrics and for fetching them again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_IS_MISSING = sa.text("path IS NULL")


def upgrade() -> None:
    op.create_index(
        "ix_reply_attachments_missing",
        "reply_attachments",
        ["reply_id"],
        postgresql_where=_IS_MISSING,
        sqlite_where=_IS_MISSING,
    )


def downgrade() -> None:
    op.drop_index("ix_reply_attachments_missing", table_name="reply_attachments")
