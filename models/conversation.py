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

# Mattermost allows 22 characters for a new user name, and 64 for an old one.
USERNAME_LENGTH = 64
DIGEST_LENGTH = 32


class ConversationState(StrEnum):
    """The state of a conversation, as i-Reserve reports it."""

    OPEN = "open"
    TAKEN = "taken"
    SNOOZED = "snoozed"
    CLOSED = "closed"


class Conversation(Base):
    """One web-chat conversation, its thread and its card.

    ``root_post_id`` is None while there is no thread. ``thread_number`` counts the conversation's
    threads: it grows when a new root post replaces one that is gone.

    The root post shows the other columns as a card. ``revision`` is the number of i-Reserve's
    newest call. ``waiting_since`` is when the visitor began to wait for an answer, and
    ``answered_at`` is when the visitor got one. ``assignee_username`` is the name in Mattermost,
    empty if there is none. ``card_digest`` identifies the card as it was last drawn.
    ``card_changed_at`` is when the card changed after that; None: nothing is to be drawn.
    """

    __tablename__ = "conversations"
    __table_args__ = (
        UniqueConstraint("licence_id", "conversation_id"),
        # A reply from Mattermost finds its conversation by the licence and the root post.
        Index(None, "licence_id", "root_post_id", unique=True),
        # Catch-up finds the channels in which a licence had active threads lately.
        Index(None, "licence_id", "last_active_at"),
        # The sweep finds the few cards that are still to be drawn.
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
