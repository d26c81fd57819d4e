"""The ledger: one row for each message that was sent, is being sent or has failed."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, Enum, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import ID_LENGTH, MATTERMOST_ID_LENGTH, Base, RowId, utc_now

# A lane's name is the licence's and the conversation's id, percent-encoded, with a letter between:
# at worst each of their 100 bytes becomes three characters.
LANE_LENGTH = 2 * 3 * ID_LENGTH + 10
REASON_LENGTH = 40
MISSING_LENGTH = 16


class DeliveryKind(StrEnum):
    """What a message becomes in Mattermost."""

    ROOT = "root"
    REPLY = "reply"
    NOTIFICATION = "notification"
    # No messages at all: changes of i-Reserve's users and of what a conversation is like. They are
    # in the ledger only if they failed.
    USER = "user"
    CONVERSATION = "conversation"

    @property
    def is_message(self) -> bool:
        """Whether it is posted, and therefore in the ledger however it ends."""
        return self not in {DeliveryKind.USER, DeliveryKind.CONVERSATION}


class DeliveryState(StrEnum):
    """How far a message has come.

    ``sending``: begun; found by another worker, its sender has died. ``unsettled``: sent off,
    but the answer was lost; Mattermost must be asked. ``held``: begun and not tried (the server
    asked for a pause, the worker was told to stop), and still waiting in its lane. ``sent``,
    ``failed`` and ``skipped`` are final.
    """

    SENDING = "sending"
    UNSETTLED = "unsettled"
    HELD = "held"
    SENT = "sent"
    FAILED = "failed"
    SKIPPED = "skipped"

    @property
    def is_final(self) -> bool:
        """Whether nothing more happens to the message by itself."""
        return self in {DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.SKIPPED}


def enum_values(enum: type[StrEnum]) -> list[str]:
    """Return what an enumeration's column stores: the values, not the names."""
    return [member.value for member in enum]


class Delivery(Base):
    """One message on its way to Mattermost: what makes a send happen once.

    ``licence_id`` is no foreign key: a message for a licence that is not registered is kept
    here too, as failed. ``payload`` is what was enqueued; it is kept for a failed message alone.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        # The lane names the licence, so this is what makes a message of one licence unique.
        UniqueConstraint("lane", "key"),
        # The few that failed among the millions that did not.
        Index(
            "ix_deliveries_failed",
            "licence_id",
            "finished_at",
            postgresql_where=text("state = 'failed'"),
            sqlite_where=text("state = 'failed'"),
        ),
        # What is missing in a conversation's thread.
        Index(
            "ix_deliveries_missing",
            "lane",
            postgresql_where=text("missing IS NOT NULL"),
            sqlite_where=text("missing IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    licence_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    lane: Mapped[str] = mapped_column(String(LANE_LENGTH))
    key: Mapped[str] = mapped_column(String(ID_LENGTH + 20))
    kind: Mapped[DeliveryKind] = mapped_column(
        Enum(DeliveryKind, native_enum=False, length=16, values_callable=enum_values)
    )
    state: Mapped[DeliveryState] = mapped_column(
        Enum(DeliveryState, native_enum=False, length=16, values_callable=enum_values)
    )
    reason: Mapped[str | None] = mapped_column(String(REASON_LENGTH))
    # One sentence for the operator: ids, status and cure, never a name or a text.
    detail: Mapped[str | None] = mapped_column(Text)
    payload: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    channel_id: Mapped[str | None] = mapped_column(String(MATTERMOST_ID_LENGTH))
    post_id: Mapped[str | None] = mapped_column(String(MATTERMOST_ID_LENGTH))
    post_count: Mapped[int] = mapped_column(Integer, default=0)
    task_id: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    enqueued_at: Mapped[datetime]
    started_at: Mapped[datetime] = mapped_column(default=utc_now)
    finished_at: Mapped[datetime | None]
    # What i-Reserve calls it in its own logs; None: it gave no such name.
    caller_correlation_id: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    # Whose words the thread misses while this message is failed, by the sender's role.
    missing: Mapped[str | None] = mapped_column(String(MISSING_LENGTH))
    # The delivery whose post says so in the thread, or will; None: none does yet.
    told_by: Mapped[int | None] = mapped_column(BigInteger)

    @property
    def correlation_id(self) -> str | None:
        """Return what each line of the log about the message has."""
        return self.caller_correlation_id or self.task_id or None
