"""Conversations of the web chat, each linked to its thread in Mattermost."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    JSON,
    BigInteger,
    Enum,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from models.base import ID_LENGTH, MATTERMOST_ID_LENGTH, Base, RowId, utc_now
from models.delivery import enum_values

# Mattermost's own limit is 22 for new names and 64 for old ones.
USERNAME_LENGTH = 64
DIGEST_LENGTH = 32


class ConversationState(StrEnum):
    """What i-Reserve says of a conversation."""

    OPEN = "open"
    TAKEN = "taken"
    SNOOZED = "snoozed"
    CLOSED = "closed"


class Conversation(Base):
    """One web-chat conversation and the thread that mirrors it.

    ``root_post_id`` is None as long as there is no thread. ``thread_number`` counts the threads
    that the conversation has had: it grows when a root post is gone and a new one takes its place.

    The root post shows the rest as a card: who asks what, and what i-Reserve says of it.
    ``revision`` is that of i-Reserve's newest call. ``waiting_since``: the visitor waits for an
    answer; ``answered_at``: since then the visitor does not. ``assignee_username`` is the name in
    Mattermost, empty when there is none. ``card_digest`` tells what was drawn last, and
    ``card_changed_at`` since when there is something else to draw; None: nothing.
    """

    __tablename__ = "conversations"
    __table_args__ = (
        UniqueConstraint("licence_id", "conversation_id"),
        # A reply from Mattermost names its thread by the root post, within its licence.
        Index(None, "licence_id", "root_post_id", unique=True),
        # Catch-up asks which channels of a licence have had threads lately.
        Index(None, "licence_id", "last_active_at"),
        # The few cards that are still to be drawn, for the sweep.
        Index(
            "ix_conversations_card_changed_at",
            "card_changed_at",
            postgresql_where=text("card_changed_at IS NOT NULL"),
            sqlite_where=text("card_changed_at IS NOT NULL"),
        ),
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

    question: Mapped[str | None] = mapped_column(Text)
    subject: Mapped[str | None] = mapped_column(Text)
    page_title: Mapped[str | None] = mapped_column(Text)
    conversation_url: Mapped[str | None] = mapped_column(Text)
    fields: Mapped[list[list[str]] | None] = mapped_column(JSON(none_as_null=True))
    state: Mapped[ConversationState | None] = mapped_column(
        Enum(ConversationState, native_enum=False, length=16, values_callable=enum_values)
    )
    state_at: Mapped[datetime | None]
    assignee_user_id: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    assignee_name: Mapped[str | None] = mapped_column(Text)
    assignee_username: Mapped[str | None] = mapped_column(String(USERNAME_LENGTH))
    revision: Mapped[int | None] = mapped_column(BigInteger)
    waiting_since: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    card_digest: Mapped[str | None] = mapped_column(String(DIGEST_LENGTH))
    card_changed_at: Mapped[datetime | None]
