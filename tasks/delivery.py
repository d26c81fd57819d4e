"""Deliver the message at the head of a lane, and say how it ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import structlog
from sqlalchemy.orm import Session

from models import Delivery, DeliveryKind, DeliveryState
from tasks import ledger
from tasks.failures import SendFailedError, UndecidedError
from tasks.job import Attempt, Job, accounted
from tasks.lanes import Lane, LaneEntry
from tasks.ledger import Posted
from tasks.licences import LicenceAccess, NotificationTarget
from tasks.marks import Mark
from tasks.mattermost import (
    MattermostError,
    NotSentError,
    OutcomeUnknownError,
    RateLimitedError,
    Reason,
    RefusedError,
)
from tasks.messages import (
    InvalidMessageError,
    Message,
    Notification,
    Reply,
    RootPost,
    parse_message,
)
from tasks.notifications import post_notification
from tasks.parts import ReplyPosts
from tasks.reasons import OwnReason
from tasks.runtime import Runtime
from tasks.threads import (
    Thread,
    begin_new_thread,
    ensure_root,
    is_gone,
    load_thread,
    note_activity,
    send_root,
)

log = structlog.get_logger(__name__)

# Answers of a proxy whose Mattermost is away.
GATEWAY_STATUSES = frozenset({502, 503, 504})
# While a circuit is open, its lanes are looked at this often, to fail what has waited too long.
BLOCKED_LOOK_S = 30.0


@dataclass(frozen=True, slots=True)
class Settled:
    """The message is done with: its entry can be removed from the lane."""

    key: str
    task_id: str
    state: DeliveryState
    reason: str | None = None
    detail: str | None = None
    is_duplicate: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """The message stays at the head of its lane, which is left alone for so many seconds."""

    key: str
    seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class _Order:
    """A message that is to be sent, with its licence."""

    message: Message
    licence: LicenceAccess


def deliver(
    runtime: Runtime, lane: Lane, entry: LaneEntry, *, extend: Callable[[], None]
) -> Settled | Waiting:
    """Deliver one message; whatever Mattermost answers is in the ledger afterwards.

    Raises:
        LaneLostError: the lane is another worker's by now; nothing more was done.
    """
    verdict = _judge(runtime, lane, entry)
    with runtime.database.transaction() as session:
        row = ledger.find(session, lane, entry.key)
        if row is not None and row.state.is_final:
            return _duplicate(row, entry)
        if isinstance(verdict, Waiting):
            return verdict
        begun = ledger.begin(
            session,
            row,
            lane=lane,
            kind=DeliveryKind(entry.kind),
            key=entry.key,
            task_id=entry.task_id,
            enqueued_at_ms=entry.enqueued_at_ms,
        )
        if isinstance(verdict, SendFailedError):
            return refuse(session, begun.id, entry, verdict)
        skip = _reason_to_skip(verdict)
        if skip is not None:
            ledger.mark_skipped(session, begun.id, reason=skip)
            return Settled(entry.key, entry.task_id, DeliveryState.SKIPPED, skip.value)
        thread = _thread_of(session, verdict)
    job = _job(runtime, lane, entry, verdict.licence, extend)
    return _attempt(runtime, job, entry, verdict, thread, Attempt(begun))


def _duplicate(row: Delivery, entry: LaneEntry) -> Settled:
    return Settled(entry.key, entry.task_id, row.state, row.reason, row.detail, is_duplicate=True)


def _judge(runtime: Runtime, lane: Lane, entry: LaneEntry) -> _Order | SendFailedError | Waiting:
    """Say what to do with the message, before anything is written or sent."""
    try:
        message = parse_message(entry.kind, entry.payload)
        licence = runtime.licences.access(lane.licence_id)
    except InvalidMessageError as error:
        return SendFailedError(OwnReason.INVALID_ARGUMENTS, str(error))
    except SendFailedError as error:
        return error
    circuit = runtime.circuits.state(lane.licence_id)
    now = time.time()
    if not circuit.blocks(now):
        return _Order(message, licence)
    if not _has_expired(runtime, entry):
        reason = Reason.UNREACHABLE if circuit.is_open else Reason.RATE_LIMITED
        return Waiting(entry.key, _blocked_for(circuit.blocked_until - now), reason.value)
    return SendFailedError(
        Reason.UNREACHABLE,
        f"the server of licence {lane.licence_id!r} was away for all of the "
        f"{runtime.settings.hold_s} s that a message waits",
    )


def _blocked_for(seconds: float) -> float:
    return min(max(seconds, 1.0), BLOCKED_LOOK_S)


def _has_expired(runtime: Runtime, entry: LaneEntry) -> bool:
    return time.time() * 1_000 - entry.enqueued_at_ms >= runtime.settings.hold_s * 1_000


def refuse(
    session: Session, delivery_id: int, entry: LaneEntry, failure: SendFailedError
) -> Settled:
    """Write a message that has been begun down as failed, and say so."""
    ledger.mark_failed(
        session,
        delivery_id,
        reason=failure.reason.value,
        detail=failure.detail,
        payload=entry.payload,
    )
    return Settled(
        entry.key, entry.task_id, DeliveryState.FAILED, failure.reason.value, failure.detail
    )


def _reason_to_skip(order: _Order) -> StrEnum | None:
    message = order.message
    if isinstance(message, Reply) and message.origin_post_id is not None:
        return OwnReason.FROM_MATTERMOST
    if isinstance(message, Notification) and not _target(order).enabled:
        return OwnReason.TYPE_SWITCHED_OFF
    return None


def _target(order: _Order) -> NotificationTarget:
    assert isinstance(order.message, Notification)
    return order.licence.target_of(order.message.notification_type)


def _thread_of(session: Session, order: _Order) -> Thread | None:
    if isinstance(order.message, Notification):
        return None
    return load_thread(session, order.message, order.licence)


def _job(
    runtime: Runtime,
    lane: Lane,
    entry: LaneEntry,
    licence: LicenceAccess,
    extend: Callable[[], None],
) -> Job:
    return Job(
        lane=lane,
        licence=licence,
        client=runtime.clients.of(licence),
        database=runtime.database,
        attachments=runtime.attachments,
        extend=extend,
        task_id=entry.task_id,
        enqueued_at_ms=entry.enqueued_at_ms,
        expired=_has_expired(runtime, entry),
        payload=entry.payload,
    )


def _attempt(
    runtime: Runtime,
    job: Job,
    entry: LaneEntry,
    order: _Order,
    thread: Thread | None,
    attempt: Attempt,
) -> Settled | Waiting:
    licence_id = job.lane.licence_id
    try:
        _send(job, entry, order, thread, attempt)
    except RateLimitedError as error:
        seconds = error.retry_after_s or 1.0
        runtime.circuits.pause(licence_id, seconds=seconds)
        return Waiting(entry.key, seconds, error.reason.value)
    except UndecidedError as error:
        runtime.circuits.count_failure(licence_id)
        return Waiting(entry.key, error.look_again_s, error.reason.value)
    except (SendFailedError, MattermostError) as error:
        if _is_unreachable(error):
            runtime.circuits.count_failure(licence_id)
        detail = error.detail if isinstance(error, SendFailedError) else str(error)
        return Settled(entry.key, entry.task_id, DeliveryState.FAILED, error.reason.value, detail)
    runtime.circuits.count_success(licence_id)
    return Settled(entry.key, entry.task_id, DeliveryState.SENT)


def _is_unreachable(error: SendFailedError | MattermostError) -> bool:
    if isinstance(error, OutcomeUnknownError):
        return error.reason is not Reason.SERVER_ERROR or error.status in GATEWAY_STATUSES
    return isinstance(error, NotSentError)


def _send(
    job: Job, entry: LaneEntry, order: _Order, thread: Thread | None, attempt: Attempt
) -> None:
    if isinstance(order.message, RootPost):
        assert thread is not None
        _send_root(job, thread, attempt)
        return
    with accounted(job, attempt):
        if isinstance(order.message, Reply):
            assert thread is not None
            channel_id = _send_reply(job, entry, order.message, thread, attempt)
        else:
            channel_id = _target(order).channel_id
            post_notification(job, entry.key, order.message, channel_id, attempt)
        posted = Posted(attempt.posts[0].id, len(attempt.posts))
        with job.database.transaction() as session:
            ledger.mark_sent(session, attempt.begun.id, channel_id=channel_id, posted=posted)
            if thread is not None:
                note_activity(session, thread)


def _send_root(job: Job, thread: Thread, attempt: Attempt) -> None:
    if thread.root_post_id is None:
        send_root(job, thread, attempt.begun)
        return
    # The thread was made under another key while this message waited to be re-sent.
    with job.database.transaction() as session:
        ledger.mark_sent(
            session,
            attempt.begun.id,
            channel_id=thread.channel_id,
            posted=Posted(thread.root_post_id),
        )


def _send_reply(
    job: Job, entry: LaneEntry, message: Reply, thread: Thread, attempt: Attempt
) -> str:
    """Post the message into its thread; if the root is gone, into a new one."""
    thread = ensure_root(job, thread)
    try:
        _post_reply(job, entry, message, thread, attempt)
    except RefusedError as error:
        if error.reason is not Reason.ROOT_REJECTED or not is_gone(job, thread.root_post_id or ""):
            raise
        log.info("root_post_gone", conversation_id=thread.conversation_id)
        thread = ensure_root(job, begin_new_thread(job, thread))
        # What stood under the old root is gone with it.
        attempt.posts.clear()
        _post_reply(job, entry, message, thread, attempt)
    return thread.channel_id


def _post_reply(
    job: Job, entry: LaneEntry, message: Reply, thread: Thread, attempt: Attempt
) -> None:
    mark = Mark.of(job.lane, entry.key)
    ReplyPosts(job, mark=mark, thread=thread, message=message, attempt=attempt).post()
