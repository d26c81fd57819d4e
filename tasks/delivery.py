"""Deliver the message at the head of a lane, and say how it ended."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from sqlalchemy.orm import Session

from models import Delivery, DeliveryKind, DeliveryState
from tasks import ledger
from tasks.failures import SendFailedError, UndecidedError
from tasks.job import Attempt, Job, accounted
from tasks.lanes import Lane, LaneEntry
from tasks.ledger import Begun, Posted
from tasks.licences import LicenceAccess
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
    Notification,
    Reply,
    RootPost,
)
from tasks.notifications import post_notification
from tasks.outcomes import Settled, Waiting
from tasks.parts import ReplyPosts
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
from tasks.verdicts import Order, has_expired, judge, reason_to_skip, target_of

log = structlog.get_logger(__name__)

# Answers of a proxy whose Mattermost is away.
GATEWAY_STATUSES = frozenset({502, 503, 504})


def deliver(
    runtime: Runtime, lane: Lane, entry: LaneEntry, *, extend: Callable[[], None]
) -> Settled | Waiting:
    """Deliver one message; whatever Mattermost answers is in the ledger afterwards.

    Raises:
        LaneLostError: the lane is another worker's by now; nothing more was done.
    """
    verdict = judge(runtime, lane, entry)
    with runtime.database.transaction() as session:
        row = ledger.find(session, lane, entry.key)
        if row is not None and row.state.is_final:
            return _duplicate(row, entry)
        if isinstance(verdict, Waiting):
            return verdict
        begun = _begin(session, row, lane, entry)
        if isinstance(verdict, SendFailedError):
            return _refuse(session, begun, entry, verdict)
        skip = reason_to_skip(verdict)
        if skip is not None:
            ledger.mark_skipped(session, begun.id, reason=skip)
            return Settled(entry.key, entry.task_id, DeliveryState.SKIPPED, skip.value)
        thread = _thread_of(session, verdict)
    job = _job(runtime, lane, entry, verdict.licence, extend)
    return _attempt(runtime, job, entry, verdict, thread, Attempt(begun))


def _duplicate(row: Delivery, entry: LaneEntry) -> Settled:
    return Settled(entry.key, entry.task_id, row.state, row.reason, row.detail, is_duplicate=True)


def refuse_entry(
    runtime: Runtime, lane: Lane, entry: LaneEntry, failure: SendFailedError
) -> Settled:
    """Write down that an entry has failed whatever became of it so far, and say so."""
    with runtime.database.transaction() as session:
        row = ledger.find(session, lane, entry.key)
        if row is not None and row.state.is_final:
            return _duplicate(row, entry)
        return _refuse(session, _begin(session, row, lane, entry), entry, failure)


def _begin(session: Session, row: Delivery | None, lane: Lane, entry: LaneEntry) -> Begun:
    return ledger.begin(
        session,
        row,
        lane=lane,
        kind=DeliveryKind(entry.kind),
        key=entry.key,
        task_id=entry.task_id,
        enqueued_at_ms=entry.enqueued_at_ms,
    )


def _refuse(session: Session, begun: Begun, entry: LaneEntry, failure: SendFailedError) -> Settled:
    detail = failure.detail
    if begun.must_look:
        detail += " An earlier attempt was broken off: it may be in Mattermost all the same."
    ledger.mark_failed(
        session,
        begun.id,
        reason=failure.reason.value,
        detail=detail,
        payload=entry.payload,
    )
    return Settled(entry.key, entry.task_id, DeliveryState.FAILED, failure.reason.value, detail)


def _thread_of(session: Session, order: Order) -> Thread | None:
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
        expired=has_expired(runtime, entry),
        payload=entry.payload,
    )


def _attempt(
    runtime: Runtime,
    job: Job,
    entry: LaneEntry,
    order: Order,
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
    job: Job, entry: LaneEntry, order: Order, thread: Thread | None, attempt: Attempt
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
            channel_id = target_of(order).channel_id
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
