"""Results for a message at the head of a lane: sent, skipped, failed for a reason, or waiting."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import StrEnum

from models import DeliveryState


class OwnReason(StrEnum):
    """The reasons that arise on our side; ``tasks.mattermost.Reason`` has those of Mattermost."""

    INVALID_ARGUMENTS = "invalid_arguments"
    LICENCE_UNKNOWN = "licence_unknown"
    LICENCE_DISABLED = "licence_disabled"
    TOKEN_UNREADABLE = "token_unreadable"
    FROM_MATTERMOST = "from_mattermost"
    TYPE_SWITCHED_OFF = "type_switched_off"
    INTERNAL_ERROR = "internal_error"

    @property
    def cure(self) -> str:
        """What to do about a failure for this reason, in one sentence."""
        return _CURES[self]


_CURES = {
    OwnReason.INVALID_ARGUMENTS: "Correct the named field where i-Reserve enqueues the message.",
    OwnReason.LICENCE_UNKNOWN: "Register the licence: ireserve-mattermost licence add.",
    OwnReason.LICENCE_DISABLED: "Enable the licence, then re-send.",
    OwnReason.TOKEN_UNREADABLE: "Put the key that it was stored with back on ENCRYPTION_KEYS.",
    OwnReason.FROM_MATTERMOST: "Nothing: the message came from Mattermost and is there already.",
    OwnReason.INTERNAL_ERROR: "Report it with the line message_broke_the_worker of the log.",
    OwnReason.TYPE_SWITCHED_OFF: "Nothing, or switch the notification type on for this licence.",
}


@dataclass(frozen=True, slots=True)
class Settled:
    """The message has its final state, and its entry can be removed from the lane.

    ``at_ms`` is the time of this result, in milliseconds since the epoch. ``is_set_aside`` means
    that the ledger could not store the result, and the entry is kept with the unreadable entries.
    """

    key: str
    task_id: str
    state: DeliveryState
    reason: str | None = None
    detail: str | None = None
    is_duplicate: bool = False
    is_set_aside: bool = False
    at_ms: float = field(default_factory=lambda: time.time() * 1_000, compare=False)


@dataclass(frozen=True, slots=True)
class Waiting:
    """The message stays at the head of its lane, and the lane sends nothing for ``seconds``."""

    key: str
    seconds: float
    reason: str
    # No wake-up shortens the wait, because the server may still be processing the message.
    is_unsettled: bool = False


# The end of a failure's detail, if the message was sent before and that result is unknown.
MAY_HAVE_ARRIVED = "An earlier attempt was broken off: it may be in Mattermost all the same."

# A part of the detail, while it is unknown whether a message that was sent has arrived.
NOT_KNOWN_YET = "Whether it arrived is not known yet."

# If a failure's detail has one of these sentences, Mattermost may have the message after all.
IN_DOUBT = (MAY_HAVE_ARRIVED, NOT_KNOWN_YET)


class SendFailedError(Exception):
    """The message will not be sent; the ledger keeps it as failed, with reason and payload.

    ``detail`` is one sentence for the operator: ids, status and cure, never a name or a text.
    """

    def __init__(self, reason: StrEnum, detail: str) -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
        self.detail = detail


class UndecidedError(Exception):
    """It is unknown whether the message arrived; ask again after ``look_again_s`` seconds.

    ``sent_off`` is False if this worker sent nothing, and could not look up what a dead worker had
    sent. ``cause`` is the error that left the result open, or None if our own limits did.
    """

    def __init__(
        self,
        reason: StrEnum,
        detail: str,
        *,
        look_again_s: float,
        sent_off: bool,
        cause: Exception | None,
    ) -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
        self.detail = detail
        self.cause = cause
        self.look_again_s = look_again_s
        self.sent_off = sent_off


class UnansweredError(Exception):
    """The server failed to answer whether a message has arrived.

    A message itself may cause a status 500. A request that only reads does not, so this error means
    that the server has a failure of its own.
    """


class OwnTroubleError(Exception):
    """A message waits for a cause on our side: this worker stops, or the attachment store fails."""


class LoggedError(Exception):
    """Marks the task as failed in Flower; the log already has the details."""

    def __repr__(self) -> str:
        """Return the text without the class, because Flower's column is narrow."""
        return str(self)


class DeliveryFailedError(LoggedError):
    """A message has failed; the text has its key and the reason."""

    def __init__(self, message: str, reason: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason
