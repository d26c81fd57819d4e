"""The inbox: what the team writes in a conversation's thread, on its way to i-Reserve."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Enum,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import ID_LENGTH, MATTERMOST_ID_LENGTH, Base, RowId, utc_now
from models.delivery import REASON_LENGTH, enum_values

# The limit for a file's name in Mattermost's own database.
FILE_NAME_LENGTH = 256
CONTENT_TYPE_LENGTH = 255
# A path in the attachment store: licence / conversation / file id, each percent-encoded.
STORE_PATH_LENGTH = 2_000


class ReplyState(StrEnum):
    """How far a reply has come.

    ``received``: a worker must fetch the post, for the first time or again. ``recorded`` and
    ``deleted``: the post's state when Mattermost was last asked. ``empty``: the post has nothing
    to show, and i-Reserve does not get it.
    """

    RECEIVED = "received"
    RECORDED = "recorded"
    DELETED = "deleted"
    EMPTY = "empty"


class ReplySource(StrEnum):
    """How a post was first noticed."""

    WEBHOOK = "webhook"
    CATCH_UP = "catch_up"


class Visibility(StrEnum):
    """Who may read a reply: the visitor too, or the team alone."""

    PUBLIC = "public"
    INTERNAL = "internal"


class ReplyEvent(StrEnum):
    """What has happened to a reply, as i-Reserve gets it."""

    RECORDED = "recorded"
    EDITED = "edited"
    DELETED = "deleted"


class Receipt(StrEnum):
    """The meaning of the bot's reaction to a post, with the name of its emoji."""

    RECORDED = "white_check_mark"
    INTERNAL = "lock"
    NOT_RECORDED = "warning"


class Reply(Base):
    """One post by the team, unique within its licence.

    What the post contains is None until a worker has fetched the post. ``pending_event`` is the
    event that i-Reserve has not received yet. ``revision`` counts the events of the reply, from 1.
    """

    __tablename__ = "replies"
    __table_args__ = (
        UniqueConstraint("licence_id", "post_id"),
        # i-Reserve reads a conversation's replies in order.
        Index(None, "conversation_row", "posted_at"),
        # The sweep finds the few replies that are still open.
        Index(
            "ix_replies_open",
            "next_attempt_at",
            postgresql_where=text("state = 'received' OR pending_event IS NOT NULL"),
            sqlite_where=text("state = 'received' OR pending_event IS NOT NULL"),
        ),
        # The few posts that the bot is to mark.
        Index(
            "ix_replies_receipts_due",
            "receipt_due_at",
            postgresql_where=text("receipt_due_at IS NOT NULL"),
            sqlite_where=text("receipt_due_at IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    licence_id: Mapped[str] = mapped_column(ForeignKey("licences.id", ondelete="CASCADE"))
    post_id: Mapped[str] = mapped_column(String(MATTERMOST_ID_LENGTH))
    state: Mapped[ReplyState] = mapped_column(
        Enum(ReplyState, native_enum=False, length=16, values_callable=enum_values)
    )
    source: Mapped[ReplySource] = mapped_column(
        Enum(ReplySource, native_enum=False, length=16, values_callable=enum_values)
    )
    conversation_row: Mapped[int | None] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE")
    )
    author_mattermost_id: Mapped[str | None] = mapped_column(String(MATTERMOST_ID_LENGTH))
    # i-Reserve's id of the author; None when no user of the licence has the author's e-mail.
    author_user_id: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    author_name: Mapped[str | None] = mapped_column(Text)
    text: Mapped[str | None] = mapped_column(Text)
    plain_text: Mapped[str | None] = mapped_column(Text)
    visibility: Mapped[Visibility | None] = mapped_column(
        Enum(Visibility, native_enum=False, length=16, values_callable=enum_values)
    )
    posted_at: Mapped[datetime | None]
    # Mattermost's update_at of the recorded version, so that no old version is recorded again.
    post_update_at_ms: Mapped[int] = mapped_column(BigInteger, default=0)
    revision: Mapped[int] = mapped_column(Integer, default=0)
    # Catch-up saw that this post alone was deleted. Once its whole thread is deleted, Mattermost no
    # longer shows which posts were deleted before.
    is_taken_back: Mapped[bool] = mapped_column(default=False, server_default=false())
    pending_event: Mapped[ReplyEvent | None] = mapped_column(
        Enum(ReplyEvent, native_enum=False, length=16, values_callable=enum_values)
    )
    received_at: Mapped[datetime] = mapped_column(default=utc_now)
    recorded_at: Mapped[datetime | None]
    # When the sweep wakes a worker if the reply is still open, and how often it was tried.
    next_attempt_at: Mapped[datetime] = mapped_column(default=utc_now)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    # The end of the pause; None: there is no pause, or i-Reserve has the reply.
    paused_until: Mapped[datetime | None]
    # The failure of the last attempt, None once the reply is recorded. ``detail`` is a sentence for
    # the operator with ids and status, never a name or a text.
    reason: Mapped[str | None] = mapped_column(String(REASON_LENGTH))
    detail: Mapped[str | None] = mapped_column(Text)

    # The mark that the post has, as far as we know, and when the bot is to correct the mark. None
    # means that there is no mark, or nothing to correct.
    receipt: Mapped[Receipt | None] = mapped_column(
        Enum(Receipt, native_enum=False, length=16, values_callable=enum_values)
    )
    receipt_due_at: Mapped[datetime | None]

    attachments: Mapped[list[ReplyAttachment]] = relationship(
        back_populates="reply",
        cascade="all, delete-orphan",
        passive_deletes=True,
        order_by="ReplyAttachment.position",
    )


class ReplyAttachment(Base):
    """A file of a reply: in the attachment store at ``path``, or missing for ``reason``."""

    __tablename__ = "reply_attachments"
    __table_args__ = (
        UniqueConstraint("reply_id", "file_id"),
        # Before a file is removed, a query checks whether a reply has it.
        Index(None, "path"),
        # The few missing files.
        Index(
            "ix_reply_attachments_missing",
            "reply_id",
            postgresql_where=text("path IS NULL"),
            sqlite_where=text("path IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    reply_id: Mapped[int] = mapped_column(ForeignKey("replies.id", ondelete="CASCADE"))
    file_id: Mapped[str] = mapped_column(String(MATTERMOST_ID_LENGTH))
    position: Mapped[int] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(String(FILE_NAME_LENGTH))
    content_type: Mapped[str] = mapped_column(String(CONTENT_TYPE_LENGTH))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str | None] = mapped_column(String(64))
    path: Mapped[str | None] = mapped_column(String(STORE_PATH_LENGTH))
    reason: Mapped[str | None] = mapped_column(String(REASON_LENGTH))

    reply: Mapped[Reply] = relationship(back_populates="attachments")
