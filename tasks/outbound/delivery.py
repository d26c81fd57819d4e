"""Send one message that has been begun, and return its outcome."""

from __future__ import annotations

import structlog

from ireserve_mattermost.lanes import LaneEntry
from ireserve_mattermost.messages import ChatMessage, Notification
from models import DeliveryState
from tasks.failures import SendFailedError, Settled, UndecidedError, Waiting
from tasks.licences.circuit import DEFAULT_PAUSE_S
from tasks.mattermost import MattermostError, RateLimitedError, RefusedError
from tasks.outbound import missing_messages
from tasks.outbound.card import draw
from tasks.outbound.endings import Delivered, detail_of, record_errors
from tasks.outbound.job import Attempt, Job
from tasks.outbound.ledger import Sent
from tasks.outbound.notifications import post_notification
from tasks.outbound.parts import Parts
from tasks.outbound.roots import ensure_root, is_root_gone, send_root
from tasks.outbound.settlement import Place, find_earlier, post_marked
from tasks.outbound.threads import Thread, begin_new_thread
from tasks.outbound.verdicts import CheckedMessage, target_of
from tasks.runtime import Runtime

log = structlog.get_logger(__name__)


def deliver(
    runtime: Runtime,
    job: Job,
    entry: LaneEntry,
    checked: CheckedMessage,
    *,
    thread: Thread | None,
    attempt: Attempt,
) -> Delivered | Settled | Waiting:
    """Send the message and return its outcome.

    Any outcome but ``Delivered`` is in the ledger already; the caller records ``Delivered``.

    Raises:
        LockLostError: another worker holds the lane by now; nothing more was done.
    """
    try:
        delivered = _send(job, checked, thread, attempt)
    except (SendFailedError, UndecidedError, MattermostError) as error:
        runtime.circuits.note(job.lane.licence_id, _answer_behind(error))
        return _ended(entry, error)
    runtime.circuits.note(job.lane.licence_id, None)
    return delivered


def _answer_behind(error: SendFailedError | UndecidedError | MattermostError) -> Exception | None:
    """Return the server's error behind this error, for the circuit, or None.

    A message that has waited too long fails with the server's error as its cause.
    """
    behind = error.__cause__ if isinstance(error, SendFailedError) else error
    if isinstance(behind, UndecidedError):
        return behind.cause
    return behind if isinstance(behind, MattermostError) else None


def _ended(
    entry: LaneEntry, error: SendFailedError | UndecidedError | MattermostError
) -> Settled | Waiting:
    reason = error.reason.value
    if isinstance(error, RateLimitedError):
        return Waiting(entry.key, error.retry_after_s or DEFAULT_PAUSE_S, reason)
    if isinstance(error, UndecidedError):
        return Waiting(entry.key, error.look_again_s, reason, is_unsettled=True)
    return Settled(entry.key, entry.task_id, DeliveryState.FAILED, reason, detail_of(error))


def _send(job: Job, checked: CheckedMessage, thread: Thread | None, attempt: Attempt) -> Delivered:
    message = checked.message
    if isinstance(message, Notification):
        channel_id = target_of(checked).channel_id
        with record_errors(job, attempt):
            post_notification(job, message, channel_id, attempt)
        return Delivered(_sent(attempt, channel_id), None)
    assert thread is not None
    if not isinstance(message, ChatMessage):
        return _send_root(job, thread, attempt)
    with record_errors(job, attempt):
        # The card is drawn first, so that Mattermost notifies the mentioned members of the message.
        thread = draw(job, ensure_root(job, thread))
        try:
            _post_message(job, message, thread, attempt)
        except RefusedError as error:
            if not is_root_gone(job, thread, error):
                raise
            log.info("root_post_gone", conversation_id=thread.conversation_id)
            thread = ensure_root(job, begin_new_thread(job, thread))
            # The posts under the old root post are deleted with it.
            attempt.posts.clear()
            _post_message(job, message, thread, attempt)
    _give_back_unless_named(job, attempt)
    return Delivered(_sent(attempt, thread.channel_id), thread)


def _post_message(job: Job, message: ChatMessage, thread: Thread, attempt: Attempt) -> None:
    place = Place(thread.channel_id, thread.root_post_id or "")
    find_earlier(job, attempt, place)
    missing_messages.claim(job, attempt)
    parts = Parts(job, place=place, message=message, posts=attempt.posts, missing=attempt.missing)
    for draft in parts.drafts():
        post_marked(job, attempt, place, draft)


def _give_back_unless_named(job: Job, attempt: Attempt) -> None:
    """Release the claimed missing messages to the next message if these posts do not name them."""
    if missing_messages.stay_unnamed(attempt):
        with job.database.connection() as connection:
            missing_messages.give_back(connection, job.lane, attempt.begun.id)


def _sent(attempt: Attempt, channel_id: str) -> Sent:
    first = next(iter(attempt.posts.values()))
    return Sent(attempt.begun.id, channel_id, first.id, len(attempt.posts))


def _send_root(job: Job, thread: Thread, attempt: Attempt) -> Delivered:
    if thread.root_post_id is None:
        return Delivered(None, send_root(job, thread, attempt.begun))
    # The thread was created under another key before this message was sent again.
    return Delivered(Sent(attempt.begun.id, thread.channel_id, thread.root_post_id), thread)
