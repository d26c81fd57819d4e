"""Record how an attempt at a message ended; no other module writes endings into the ledger.

The outcomes sent, failed and skipped are final. A message that is set aside or given back is tried
again.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import structlog
from redis.exceptions import RedisError
from sqlalchemy import Connection
from sqlalchemy.exc import DataError, SQLAlchemyError, StatementError

from ireserve_mattermost.lanes import Lane, LaneEntry, LockLostError
from models import Database, DeliveryState
from tasks.failures import MAY_HAVE_ARRIVED, OwnReason, SendFailedError, Settled, UndecidedError
from tasks.mattermost import MattermostError, Post, RateLimitedError, Reason
from tasks.outbound import ledger, missing_messages
from tasks.outbound.job import Attempt, Job
from tasks.outbound.ledger import Begun, KnownDelivery, Sent
from tasks.outbound.outcomes import record_failure, record_thread
from tasks.outbound.threads import Thread, link_root, note_activity
from tasks.outbound.undecided import confirm_refusals
from tasks.runtime import Runtime

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Delivered:
    """A message that is in Mattermost, and its thread (None: a notification).

    ``sent`` is still to be recorded in the ledger; None: the ledger has it already.
    """

    sent: Sent | None
    thread: Thread | None


def write_sent(database: Database, delivered: Sequence[Delivered]) -> None:
    """Record that the messages are in Mattermost, and the activity in the last one's thread."""
    sent = [each.sent for each in delivered if each.sent is not None]
    if not sent:
        return
    thread = delivered[-1].thread
    with database.connection() as connection:
        ledger.mark_sent(connection, sent)
        if thread is not None:
            note_activity(connection, thread)


def write_root(job: Job, thread: Thread, begun: Begun, root: Post, *, card_digest: str) -> Thread:
    """Record that the root post is in Mattermost, link it to the thread, and return the thread."""
    with job.database.connection() as connection:
        ledger.mark_sent(connection, [Sent(begun.id, root.channel_id, root.id)])
        if job.tells_outcomes:
            permalink = job.licence.permalink(root.id)
            record_thread(connection, job.lane, root_post_id=root.id, permalink=permalink)
        return link_root(connection, thread, root, card_digest=card_digest)


@contextmanager
def record_errors(job: Job, attempt: Attempt) -> Iterator[None]:
    """Record an error that ends the attempt in the block, and raise it again.

    Raises:
        RateLimitedError, UndecidedError: the message waits in its lane.
        SendFailedError, MattermostError: the message has failed.
    """
    try:
        with confirm_refusals(job):
            yield
    except (RateLimitedError, UndecidedError) as error:
        # An attempt that ends because the worker stops must not make an expired message fail.
        if job.expired and error.reason is not Reason.STOPPED:
            failure = SendFailedError(error.reason, f"{detail_of(error)} It waited too long.")
            _write_failed_attempt(job, attempt, failure)
            raise failure from error
        _set_aside(job.database, attempt, error)
        raise
    except (SendFailedError, MattermostError) as error:
        _write_failed_attempt(job, attempt, error)
        raise


def _write_failed_attempt(
    job: Job, attempt: Attempt, error: SendFailedError | MattermostError
) -> None:
    with job.database.connection() as connection:
        _write_failed(
            connection,
            attempt.begun,
            error,
            job.payload,
            post_count=len(attempt.posts),
            tells_outcomes=job.tells_outcomes,
            names_missing=missing_messages.are_named(attempt),
        )


def _write_failed(
    connection: Connection,
    begun: Begun,
    error: SendFailedError | MattermostError,
    payload: dict[str, Any],
    *,
    tells_outcomes: bool,
    post_count: int = 0,
    names_missing: bool = False,
) -> None:
    """Record the failure, together with its notices for the thread and for i-Reserve."""
    failed = ledger.mark_failed(
        connection,
        begun.id,
        reason=error.reason.value,
        detail=detail_of(error),
        payload=payload,
        missing=missing_messages.missing_sender_of(payload),
        post_count=max(post_count, begun.post_count),
    )
    if failed is None:
        return
    if not names_missing:
        missing_messages.give_back(connection, Lane.parse(failed.lane), begun.id)
    if tells_outcomes:
        record_failure(connection, failed, payload)


def _set_aside(
    database: Database, attempt: Attempt, error: RateLimitedError | UndecidedError
) -> None:
    with database.connection() as connection:
        ledger.set_aside(
            connection,
            attempt.begun.id,
            state=_waiting_state(attempt, error),
            reason=error.reason.value,
            detail=detail_of(error),
            post_count=max(len(attempt.posts), attempt.begun.post_count),
        )


def _waiting_state(attempt: Attempt, error: RateLimitedError | UndecidedError) -> DeliveryState:
    if isinstance(error, UndecidedError):
        if error.sent_off:
            return DeliveryState.UNSETTLED
        return attempt.begun.before or DeliveryState.SENDING
    # If a part of the message may be in Mattermost, the next attempt must look for it.
    untouched = not attempt.posts and not attempt.begun.must_look
    return DeliveryState.HELD if untouched else DeliveryState.SENDING


def detail_of(error: SendFailedError | UndecidedError | MattermostError) -> str:
    """Return the sentence about an error that the ledger keeps."""
    return str(error) if isinstance(error, MattermostError) else error.detail


def refuse(runtime: Runtime, begun: Begun, entry: LaneEntry, failure: SendFailedError) -> Settled:
    """Record that a message has failed without an attempt to send it."""
    if begun.must_look:
        detail = f"{failure.detail.rstrip('.')}. {MAY_HAVE_ARRIVED}"
        failure = SendFailedError(failure.reason, detail)
    tells_outcomes = runtime.settings.outcome_task is not None
    with runtime.database.connection() as connection:
        _write_failed(connection, begun, failure, entry.payload, tells_outcomes=tells_outcomes)
    return _failed(entry, failure)


def _failed(entry: LaneEntry, error: SendFailedError | MattermostError) -> Settled:
    """Return the outcome of a message that has failed."""
    reason, detail = error.reason.value, detail_of(error)
    return Settled(entry.key, entry.task_id, DeliveryState.FAILED, reason, detail)


def skip(database: Database, begun: Begun, entry: LaneEntry, reason: StrEnum) -> Settled:
    """Record that the message must not be sent, and why."""
    with database.connection() as connection:
        ledger.mark_skipped(connection, begun.id, reason=reason)
    return Settled(entry.key, entry.task_id, DeliveryState.SKIPPED, reason.value)


def give_back(database: Database, begun: Iterable[Begun]) -> None:
    """Restore the rows of messages that were begun and not tried."""
    with database.connection() as connection:
        ledger.put_back(connection, begun)


def settle_duplicate(row: KnownDelivery, entry: LaneEntry) -> Settled:
    """Return the outcome of a message whose row in the ledger is final."""
    return Settled(entry.key, entry.task_id, row.state, row.reason, row.detail, is_duplicate=True)


def refuse_entry(
    runtime: Runtime, lane: Lane, entry: LaneEntry, failure: SendFailedError
) -> Settled:
    """Record that an entry has failed that was not begun, unless its row is final."""
    with runtime.database.connection() as connection:
        opening = ledger.begin(connection, lane, [entry])
    if entry.key in opening.final:
        return settle_duplicate(opening.final[entry.key], entry)
    return refuse(runtime, opening.begun[entry.key], entry, failure)


def give_up(runtime: Runtime, lane: Lane, entry: LaneEntry, error: Exception) -> Settled:
    """Record that an entry has failed with an unexpected error, so that its lane continues."""
    # The text of an unexpected error may quote a name or a message. The code's places do not.
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    where = [f"{frame.name}:{frame.lineno}" for frame in frames]
    log.error("message_broke_the_worker", lane=str(lane), key=entry.key, where=where)
    detail = f"{type(error).__name__} while it was handled; see the log"
    failure = SendFailedError(OwnReason.INTERNAL_ERROR, detail)
    try:
        return refuse_entry(runtime, lane, entry, failure)
    except Exception as last:
        if not is_caused_by_entry(last):
            raise
        # Even the failure cannot be recorded. The lane must continue nevertheless.
        log.error("entry_set_aside", lane=str(lane), key=entry.key, error=type(last).__name__)
        return replace(_failed(entry, failure), is_set_aside=True)


def is_caused_by_entry(error: Exception) -> bool:
    """Return whether the entry itself causes the error, and would cause it again.

    Otherwise the database or Redis is away, or the lane is lost.
    """
    if isinstance(error, SQLAlchemyError):
        # These errors mean that the database can never store a value of the entry.
        return isinstance(error, DataError) or type(error) is StatementError
    return not isinstance(error, LockLostError | RedisError)
