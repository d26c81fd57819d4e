"""Decide about a message at the head of its lane: send it, skip it, let it wait, or fail it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

import structlog

from ireserve_mattermost.lanes import Lane, LaneEntry
from ireserve_mattermost.messages import (
    ChatMessage,
    InvalidMessageError,
    Message,
    Notification,
    parse_message,
    unknown_fields,
)
from tasks.failures import OwnReason, SendFailedError, Waiting
from tasks.licences.access import LicenceAccess, NotificationTarget
from tasks.mattermost import Reason
from tasks.runtime import Runtime

log = structlog.get_logger(__name__)

# While a circuit is open, its lanes are looked at this often, to fail messages that have expired.
BLOCKED_LOOK_S = 30.0


@dataclass(frozen=True, slots=True)
class CheckedMessage:
    """A valid message, its licence, and when it was enqueued."""

    message: Message
    licence: LicenceAccess
    enqueued_at: datetime


def check_entry(runtime: Runtime, lane: Lane, entry: LaneEntry) -> CheckedMessage | SendFailedError:
    """Return the checked message with its licence, or why it can never be sent."""
    try:
        message = parse_message(entry.kind, entry.payload)
        if unknown := unknown_fields(entry.kind, entry.payload):
            log.warning("unknown_arguments_ignored", lane=str(lane), key=entry.key, names=unknown)
        enqueued_at = datetime.fromtimestamp(entry.enqueued_at_ms / 1_000, UTC)
        return CheckedMessage(message, runtime.licences.access(lane.licence_id), enqueued_at)
    except InvalidMessageError as error:
        return SendFailedError(OwnReason.INVALID_ARGUMENTS, str(error))
    except SendFailedError as error:
        return error


def judge(
    runtime: Runtime, lane: Lane, entry: LaneEntry, message: CheckedMessage | SendFailedError
) -> Waiting | SendFailedError | StrEnum | None:
    """Return why a message is not sent now: it waits, fails, or is skipped; None: send it."""
    if isinstance(message, SendFailedError):
        return message
    return reason_to_wait(runtime, lane, entry) or reason_to_skip(message)


def reason_to_wait(
    runtime: Runtime, lane: Lane, entry: LaneEntry
) -> Waiting | SendFailedError | None:
    """Return why the message cannot be sent now; None: its licence is not blocked.

    A message that has waited for ``HOLD_S`` fails instead of waiting.
    """
    circuit, now = runtime.circuits.state(lane.licence_id), time.time()
    if circuit.blocks(now):
        # Read the newest state: if the circuit was closed since, the lane must not wait.
        circuit = runtime.circuits.state_now(lane.licence_id)
    if not circuit.blocks(now):
        return None
    if not has_expired(runtime, entry):
        reason = Reason.UNREACHABLE if circuit.is_open else Reason.RATE_LIMITED
        return Waiting(entry.key, _blocked_for(circuit.blocked_until - now), reason.value)
    return SendFailedError(
        Reason.UNREACHABLE,
        f"the server of licence {lane.licence_id!r} was away for all of the "
        f"{runtime.settings.hold_s} s that a message waits",
    )


def _blocked_for(seconds: float) -> float:
    return min(max(seconds, 1.0), BLOCKED_LOOK_S)


def has_expired(runtime: Runtime, entry: LaneEntry) -> bool:
    """Return whether the message has waited in its lane for ``HOLD_S``."""
    return time.time() * 1_000 - entry.enqueued_at_ms >= runtime.settings.hold_s * 1_000


def reason_to_skip(checked: CheckedMessage) -> StrEnum | None:
    """Return why the message must not be sent; None: send it."""
    message = checked.message
    if isinstance(message, ChatMessage) and message.origin_post_id is not None:
        return OwnReason.FROM_MATTERMOST
    if isinstance(message, Notification) and not target_of(checked).enabled:
        return OwnReason.TYPE_SWITCHED_OFF
    return None


def target_of(checked: CheckedMessage) -> NotificationTarget:
    """Return the channel for the notification's type, and whether the type is enabled."""
    assert isinstance(checked.message, Notification)
    return checked.licence.target_of(checked.message.notification_type)
