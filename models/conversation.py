"""Conversations of the web chat, each linked to its thread in Mattermost."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import ID_LENGTH, MATTERMOST_ID_LENGTH, Base, RowId, utc_now


class Conversation(Base):
    """One web-chat conversation and the thread that mirrors it.

    ``root_post_id`` is None as long as there is no thread. ``thread_number`` counts the threads
    that the conversation has had: it grows when a root post is gone and a new one takes its place.
    """

    __tablename__ = "conversations"
    __table_args__ = (
        UniqueConstraint("licence_id", "conversation_id"),
        # A reply from Mattermost names its thread by the root post, within its licence.
        Index(None, "licence_id", "root_post_id", unique=True),
        # Catch-up asks which channels of a licence have had threads lately.
        Index(None, "licence_id", "last_active_at"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    licence_id: Mapped[str] = mapped_column(ForeignKey("licences.id", ondelete="CASCADE"))
    conversation_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    visitor_name: Mapped[str | None] = mapped_column(Text)
    page_url: Mapped[str | None] = mapped_column(Text)
    started_at: Mapped[datetime | None]
    channel_id: Mapped[str] = mapped_column(String(MATTERMOST_ID_LENGTH))
    root_post_id: Mapped[str | None] = mapped_column(String(MATTERMOST_ID_LENGTH))
    thread_number: Mapped[int] = mapped_column(Integer, default=1)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    last_active_at: Mapped[datetime] = mapped_column(default=utc_now)
