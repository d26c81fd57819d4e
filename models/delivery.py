"""The ledger: one row for each message that was sent, is being sent or has failed."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, Enum, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import ID_LENGTH, MATTERMOST_ID_LENGTH, Base, RowId, utc_now

# A lane's name has two percent-encoded ids with a letter between: of the licence, and of the
# conversation or notification type. A byte of an id becomes at most three characters.
LANE_LENGTH = 2 * 3 * ID_LENGTH + 10
REASON_LENGTH = 40
MISSING_LENGTH = 16


class DeliveryKind(StrEnum):
    """What a message becomes in Mattermost."""

    ROOT = "root"
    REPLY = "reply"
    NOTIFICATION = "notification"
    # Changes of i-Reserve's users and of conversations. They are not posted, and are in the ledger
    # only if they failed.
    USER = "user"
    CONVERSATION = "conversation"

    @property
    def is_message(self) -> bool:
        """Whether it is posted; the ledger then has a row for it, whatever its result."""
        return self not in {DeliveryKind.USER, DeliveryKind.CONVERSATION}


class DeliveryState(StrEnum):
    """How far a message has come.

    ``sending``: a worker has begun; if another worker finds this state, the first one has died.
    ``unsettled``: the message was sent, but the answer was lost, so Mattermost must be asked.
    ``held``: a worker has begun but sent nothing, because the server asked for a pause or the
    worker had to stop. The message still waits in its lane. ``sent``, ``failed`` and ``skipped``
    are final.
    """

    SENDING = "sending"
    UNSETTLED = "unsettled"
    HELD = "held"
    SENT = "sent"
    FAILED = "failed"
    SKIPPED = "skipped"

    @property
    def is_final(self) -> bool:
        """Whether no worker continues with the message by itself."""
        return self in {DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.SKIPPED}


def enum_values(enum: type[StrEnum]) -> list[str]:
    """Return the texts that an enumeration's column stores: its values, not its names."""
    return [member.value for member in enum]


class Delivery(Base):
    """One message to Mattermost; the row prevents that a worker sends the message twice.

    ``licence_id`` is not a foreign key, because a failed message may name an unregistered licence.
    ``payload`` is what i-Reserve enqueued, and is kept only if the message has failed.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        # The lane's name contains the licence, so two licences may use the same key.
        UniqueConstraint("lane", "key"),
        # The few failed messages among millions.
        Index(
            "ix_deliveries_failed",
            "licence_id",
            "finished_at",
            postgresql_where=text("state = 'failed'"),
            sqlite_where=text("state = 'failed'"),
        ),
        # The missing messages of a conversation's thread.
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
    # The message's name in i-Reserve's own logs; None: i-Reserve gave no name.
    caller_correlation_id: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    # The sender's role, for a message that the thread lacks while its state is ``failed``.
    missing: Mapped[str | None] = mapped_column(String(MISSING_LENGTH))
    # The delivery whose post reports the missing message, or is about to; None: none does yet.
    told_by: Mapped[int | None] = mapped_column(BigInteger)

    @property
    def correlation_id(self) -> str | None:
        """The id in each line of our log about the message."""
        return self.caller_correlation_id or self.task_id or None
