"""Hints: the bot's answers to members whose post in the channel reaches no visitor."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import MATTERMOST_ID_LENGTH, Base, utc_now


class Hint(Base):
    """A member's last hint: its post, and when it is due; None: a worker has taken the hint."""

    __tablename__ = "hints"
    __table_args__ = (
        Index(
            "ix_hints_due",
            "due_at",
            postgresql_where=text("due_at IS NOT NULL"),
            sqlite_where=text("due_at IS NOT NULL"),
        ),
    )

    licence_id: Mapped[str] = mapped_column(
        ForeignKey("licences.id", ondelete="CASCADE"), primary_key=True
    )
    member_id: Mapped[str] = mapped_column(String(MATTERMOST_ID_LENGTH), primary_key=True)
    channel_id: Mapped[str] = mapped_column(String(MATTERMOST_ID_LENGTH))
    post_id: Mapped[str] = mapped_column(String(MATTERMOST_ID_LENGTH))
    due_at: Mapped[datetime | None]
    decided_at: Mapped[datetime] = mapped_column(default=utc_now)
