"""Hints for members whose post in the channel reaches no visitor."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_IS_DUE = sa.text("due_at IS NOT NULL")


def upgrade() -> None:
    op.add_column(
        "licences", sa.Column("hints", sa.Boolean(), nullable=False, server_default=sa.true())
    )
    op.create_table(
        "hints",
        sa.Column("licence_id", sa.String(length=100), nullable=False),
        sa.Column("member_id", sa.String(length=64), nullable=False),
        sa.Column("channel_id", sa.String(length=64), nullable=False),
        sa.Column("post_id", sa.String(length=64), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["licence_id"], ["licences.id"], name=op.f("fk_hints_licence_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("licence_id", "member_id", name=op.f("pk_hints")),
    )
    op.create_index(
        "ix_hints_due", "hints", ["due_at"], postgresql_where=_IS_DUE, sqlite_where=_IS_DUE
    )


def downgrade() -> None:
    op.drop_table("hints")
    op.drop_column("licences", "hints")
