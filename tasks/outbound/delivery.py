"""Send one message that has been begun, and say how it ended."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from models import DeliveryState
from tasks.failures import SendFailedError, UndecidedError
from tasks.lanes import LaneEntry
from tasks.licences.circuit import DEFAULT_PAUSE_S
from tasks.mattermost import (
    MattermostError,
    RateLimitedError,
    Reason,
    RefusedError,
)
from tasks.messages import Reply, RootPost
from tasks.outbound import ledger
from tasks.outbound.job import Attempt, Job, accounted
from tasks.outbound.ledger import Begun, Posted, Sent
from tasks.outbound.marks import Mark
from tasks.outbound.notifications import post_notification
from tasks.outbound.parts import ReplyPosts
from tasks.outbound.threads import Thread, begin_new_thread, ensure_root, is_gone, send_root
from tasks.outbound.verdicts import Order, target_of
from tasks.outcomes import Settled, Waiting
from tasks.runtime import Runtime

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Delivered:
    """A message that is in Mattermost, which the ledger has yet to be told, and its thread."""

    sent: Sent
    thread: Thread | None


def deliver(
    runtime: Runtime,
    job: Job,
    entry: LaneEntry,
    order: Order,
    *,
    thread: Thread | None,
    begun: Begun,
) -> Delivered | Settled | Waiting:
    """Send the message; unless it is ``Delivered``, the ledger says afterwards how it ended.

    Raises:
        LaneLostError: the lane is another worker's by now; nothing more was done.
    """
    licence_id = job.lane.licence_id
    try:
        attempt = Attempt(begun, Mark.of(job.lane, entry.key))
        delivered = _send(job, order, thread, attempt)
    except RateLimitedError as error:
        runtime.circuits.note(licence_id, error)
        return Waiting(entry.key, error.retry_after_s or DEFAULT_PAUSE_S, error.reason.value)
    except UndecidedError as error:
        runtime.circuits.note(licence_id, error.cause)
        return Waiting(entry.key, error.look_again_s, error.reason.value, is_unsettled=True)
    except (SendFailedError, MattermostError) as error:
        runtime.circuits.note(licence_id, _met(error))
        detail = error.detail if isinstance(error, SendFailedError) else str(error)
        return Settled(entry.key, entry.task_id, DeliveryState.FAILED, error.reason.value, detail)
    runtime.circuits.note(licence_id, None)
    return delivered or Settled(entry.key, entry.task_id, DeliveryState.SENT)


def _met(error: BaseException) -> Exception | None:
    """Return the answer behind a failure: one that waited too long hides what it waited for."""
    behind = error.__cause__ if isinstance(error, SendFailedError) else error
    if isinstance(behind, UndecidedError):
        return behind.cause
    return behind if isinstance(behind, MattermostError) else None


def _send(job: Job, order: Order, thread: Thread | None, attempt: Attempt) -> Delivered | None:
    """Return what has been posted; None: the ledger knows already."""
    if isinstance(order.message, RootPost):
        assert thread is not None
        _send_root(job, thread, attempt)
        return None
    with accounted(job, attempt):
        if isinstance(order.message, Reply):
            assert thread is not None
            thread = _send_reply(job, order.message, thread, attempt)
            channel_id = thread.channel_id
        else:
            channel_id = target_of(order).channel_id
            post_notification(job, order.message, channel_id, attempt)
    posted = Posted(attempt.posts[0].id, len(attempt.posts))
    return Delivered(Sent(attempt.begun.id, channel_id, posted), thread)


def _send_root(job: Job, thread: Thread, attempt: Attempt) -> None:
    if thread.root_post_id is None:
        send_root(job, thread, attempt.begun)
        return
    # The thread was made under another key while this message waited to be re-sent.
    sent = Sent(attempt.begun.id, thread.channel_id, Posted(thread.root_post_id))
    with job.database.connection() as connection:
        ledger.mark_sent(connection, [sent])


def _send_reply(job: Job, message: Reply, thread: Thread, attempt: Attempt) -> Thread:
    """Post the message into its thread, or if the root is gone into a new one; return which."""
    thread = ensure_root(job, thread)
    try:
        ReplyPosts(job, thread=thread, message=message, attempt=attempt).post()
    except RefusedError as error:
        if error.reason is not Reason.ROOT_REJECTED or not is_gone(job, thread.root_post_id or ""):
            raise
        log.info("root_post_gone", conversation_id=thread.conversation_id)
        thread = ensure_root(job, begin_new_thread(job, thread))
        # What stood under the old root is gone with it.
        attempt.posts.clear()
        ReplyPosts(job, thread=thread, message=message, attempt=attempt).post()
    return thread
