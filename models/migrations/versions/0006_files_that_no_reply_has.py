"""The paths of files in the attachment store that no reply has."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "unowned_files",
        sa.Column("path", sa.String(length=2000), nullable=False),
        sa.Column("licence_id", sa.String(length=100), nullable=False),
        sa.Column("post_id", sa.String(length=64), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("path", name=op.f("pk_unowned_files")),
    )
    op.create_index(
        op.f("ix_unowned_files_licence_id_post_id"), "unowned_files", ["licence_id", "post_id"]
    )
    # Before a file is removed, a query checks whether a reply has it.
    op.create_index(op.f("ix_reply_attachments_path"), "reply_attachments", ["path"])


def downgrade() -> None:
    op.drop_index(op.f("ix_reply_attachments_path"), table_name="reply_attachments")
    op.drop_table("unowned_files")
