"""How a message at the head of a lane ends: sent, skipped, failed for a reason, or waiting."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import StrEnum

from models import DeliveryState


class OwnReason(StrEnum):
    """The reasons that arise on our side; those of Mattermost are ``tasks.mattermost.Reason``."""

    INVALID_ARGUMENTS = "invalid_arguments"
    LICENCE_UNKNOWN = "licence_unknown"
    LICENCE_DISABLED = "licence_disabled"
    TOKEN_UNREADABLE = "token_unreadable"
    FROM_MATTERMOST = "from_mattermost"
    TYPE_SWITCHED_OFF = "type_switched_off"
    INTERNAL_ERROR = "internal_error"

    @property
    def cure(self) -> str:
        """What to do about it, in one sentence."""
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
    """The message is done with: its entry can be removed from the lane.

    ``at_ms`` is when, in milliseconds since the epoch. ``is_set_aside`` says that the ledger could
    not be told: the entry is kept among those that cannot be read.
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
    """The message stays at the head of its lane, from which nothing is sent for ``seconds``."""

    key: str
    seconds: float
    reason: str
    # No wake-up shortens the wait: the server may still be at work on the message.
    is_unsettled: bool = False


# What the detail of a failure ends in when the message was sent off before that and is not settled.
MAY_HAVE_ARRIVED = "An earlier attempt was broken off: it may be in Mattermost all the same."

# What it holds while, and when, nothing is known of a message that was sent off.
NOT_KNOWN_YET = "Whether it arrived is not known yet."

# A failure whose detail holds one of these may be in Mattermost all the same.
IN_DOUBT = (MAY_HAVE_ARRIVED, NOT_KNOWN_YET)


class SendFailedError(Exception):
    """The message will not be sent: it is kept as failed, with the reason and its payload.

    ``detail`` is one sentence for the operator: ids, status and cure, never a name or a text.
    """

    def __init__(self, reason: StrEnum, detail: str) -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
        self.detail = detail


class UndecidedError(Exception):
    """The message was sent off, but whether it arrived must be asked again later.

    ``sent_off`` is False when this worker sent nothing and only could not look for what a dead
    one had sent. ``cause`` is the error that left it open; None: our own limits did.
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
    """A question that was asked about a message met a failure of the server's.

    A message may cause a 500 itself; a question cannot, so this says that the server is in trouble.
    """


class OwnTroubleError(Exception):
    """What kept a message waiting is on our side: a stop, or the attachment store."""


class LoggedError(Exception):
    """What shows a task in red; what happened has its lines in the log already."""

    def __repr__(self) -> str:
        """Return the text alone: Flower's column has room for some words, and not for the class."""
        return str(self)


class DeliveryFailedError(LoggedError):
    """A message has failed: the text says why and names it by its key (red in Flower)."""

    def __init__(self, message: str, reason: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason
