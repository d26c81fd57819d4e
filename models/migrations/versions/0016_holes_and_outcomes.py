"""Missing messages that the thread does not report yet, and outcomes for i-Reserve."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_IS_MISSING = sa.text("missing IS NOT NULL")


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("missing", sa.String(length=16), nullable=True))
    op.add_column("deliveries", sa.Column("told_by", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_deliveries_missing",
        "deliveries",
        ["lane"],
        postgresql_where=_IS_MISSING,
        sqlite_where=_IS_MISSING,
    )
    op.create_table(
        "outcomes",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("licence_id", sa.String(length=100), nullable=False),
        sa.Column("outcome_id", sa.String(length=36), nullable=False),
        sa.Column("notice", sa.JSON(), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outcomes")),
    )
    op.create_index("ix_outcomes_next_attempt_at", "outcomes", ["next_attempt_at"])


def downgrade() -> None:
    op.drop_table("outcomes")
    op.drop_index("ix_deliveries_missing", table_name="deliveries")
    op.drop_column("deliveries", "told_by")
    op.drop_column("deliveries", "missing")
