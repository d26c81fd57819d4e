"""Record a reply: ask for its post, say what it means, write it down, mark it, hand it over."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import structlog

from models import ReplyEvent, ReplyState
from tasks.attachments import AttachmentError
from tasks.attachments.store import AttachmentStore
from tasks.licences.access import LicenceAccess
from tasks.locks import LockLostError
from tasks.mattermost import (
    MattermostError,
    Post,
)
from tasks.replies import rows
from tasks.replies.authors import Members, author_of
from tasks.replies.files import Fetching, fetch_files
from tasks.replies.hand_over import hand_over
from tasks.replies.patience import (
    MAX_ATTEMPTS,
    Obstacle,
    PostponedError,
    Trouble,
    obstacle_of,
)
from tasks.replies.posts import Ignored, why_ignored
from tasks.replies.questions import IgnoredError, Job, ask_for_post, find_conversation
from tasks.replies.receipts import Receipt, give_receipt
from tasks.replies.rows import Content, Known
from tasks.runtime import Runtime

log = structlog.get_logger(__name__)

_members = Members()


class Outcome(StrEnum):
    """What became of a post.

    ``busy``: somebody else is at this reply.
    """

    RECORDED = "recorded"
    UNCHANGED = "unchanged"
    DELETED = "deleted"
    IGNORED = "ignored"
    WAITING = "waiting"
    GIVEN_UP = "given_up"
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class _Result:
    """How an attempt ended, and the receipt that is due for it."""

    outcome: Outcome
    receipt: Receipt | None = None


def record(runtime: Runtime, licence: LicenceAccess, reply_id: int) -> Outcome:
    """Ask for a reply's post and record what became of it.

    Whatever Mattermost answers is in the row afterwards. A version that is older than what is
    recorded changes nothing. What is to be told is told before this returns, if the broker is up.
    """
    known = load(runtime, reply_id)
    if known is None:
        return Outcome.IGNORED
    with runtime.locks.of_reply(licence.id, known.post_id) as lock:
        # Whoever had the lock a moment ago may have changed the row, or removed it.
        known = load(runtime, reply_id) if lock is not None else None
        if lock is None or known is None:
            return Outcome.BUSY if lock is None else Outcome.IGNORED
        job = Job(runtime, licence, runtime.clients.of(licence), known, lock.extend)
        try:
            result = _attempt(job)
            hand_over(runtime, reply_id)
            _give_receipt(job, result.receipt)
        except LockLostError:
            log.warning("reply_lost", reply_id=reply_id)
            return Outcome.BUSY
    log.info("reply_" + result.outcome.value, reply_id=reply_id, licence_id=licence.id)
    _count(runtime, known, result.outcome)
    return result.outcome


def postpone(runtime: Runtime, known: Known, obstacle: Obstacle) -> bool:
    """Write down why and until when the reply waits; False: this was its last attempt."""
    with runtime.database.transaction() as session:
        waits = rows.postpone(session, known, obstacle)
    fields = {"reply_id": known.id, "post_id": known.post_id, "reason": obstacle.reason}
    if waits:
        log.warning("reply_waits", trouble=obstacle.trouble.value, **fields)
    elif obstacle.trouble.means_no_reply:
        log.info("reply_waited_in_vain", **fields)
    else:
        log.error("reply_not_recorded", detail=obstacle.detail, **fields)
        runtime.tallies.count_reply(known.licence_id, known.source, Outcome.GIVEN_UP.value)
    return waits


def _count(runtime: Runtime, known: Known, outcome: Outcome) -> None:
    """Count what is over; a reply that was given up is counted where that is written down."""
    if outcome in {Outcome.RECORDED, Outcome.DELETED, Outcome.IGNORED}:
        is_edit = outcome is Outcome.RECORDED and known.revision
        state = ReplyEvent.EDITED.value if is_edit else outcome.value
        runtime.tallies.count_reply(known.licence_id, known.source, state)


def load(runtime: Runtime, reply_id: int) -> Known | None:
    """Return what is known of a reply; None when it was removed from the inbox."""
    with runtime.database.transaction() as session:
        return rows.load(session, reply_id)


def _attempt(job: Job) -> _Result:
    """Record the reply, or write down when it is tried again."""
    try:
        result = _resolve(job)
    except MattermostError as error:
        job.runtime.circuits.note(job.licence.id, error)
        return _postpone(job, obstacle_of(error))
    except IgnoredError as error:
        result = _leave_out(job, error.why)
    except PostponedError as error:
        # The server told of the post, whatever else was missing.
        result = _postpone(job, error.obstacle)
    job.runtime.circuits.note(job.licence.id, None)
    return result


def _resolve(job: Job) -> _Result:
    known = job.known
    if known.state is not ReplyState.RECEIVED:
        # Somebody else was faster.
        return _Result(Outcome.UNCHANGED)
    post = ask_for_post(job)
    if post.delete_at_ms:
        return _forget(job, post)
    if known.revision and post.update_at_ms <= known.post_update_at_ms:
        with job.runtime.database.transaction() as session:
            rows.keep(session, known)
        return _Result(Outcome.UNCHANGED)
    why = why_ignored(post, bot_user_id=job.licence.bot_user_id)
    if why is not None:
        raise IgnoredError(why)
    return _record(job, post)


def _forget(job: Job, post: Post) -> _Result:
    if not job.known.revision:
        raise IgnoredError(Ignored.DELETED)
    store = AttachmentStore(job.runtime.settings.attachments_url)
    try:
        for file in job.known.files:
            if file.path is not None:
                store.remove(file.path)
    except AttachmentError as error:
        raise PostponedError(
            Trouble.BROKEN, error.reason.value, "The deleted post's files could not be removed."
        ) from None
    with job.runtime.database.transaction() as session:
        rows.write_deleted(session, job.known, update_at_ms=post.update_at_ms)
    return _Result(Outcome.DELETED)


def _record(job: Job, post: Post) -> _Result:
    known, licence = job.known, job.licence
    conversation_row, conversation_id = find_conversation(job, post)
    job.extend()
    member = _members.find(job.client, licence_id=licence.id, user_id=post.user_id)
    if member is not None and member.is_bot:
        raise IgnoredError(Ignored.OTHER_BOT)
    content = Content.of(post.message, known.note_prefixes)
    files = fetch_files(_fetching(job, conversation_id), post)
    # From here on the row is written, so it must still be ours.
    job.extend()
    with job.runtime.database.transaction() as session:
        is_changed = rows.write_recorded(
            session,
            known,
            post,
            conversation_row=conversation_row,
            author=author_of(session, member, licence_id=licence.id, mattermost_id=post.user_id),
            content=content,
            files=files,
        )
    outcome = Outcome.RECORDED if is_changed else Outcome.UNCHANGED
    return _Result(outcome, Receipt.of(content.visibility))


def _fetching(job: Job, conversation_id: str) -> Fetching:
    return Fetching(
        client=job.client,
        store=AttachmentStore(job.runtime.settings.attachments_url),
        licence_id=job.licence.id,
        conversation_id=conversation_id,
        limit_bytes=job.licence.max_file_size_bytes,
        known={file.file_id: file for file in job.known.files},
        is_last=job.known.attempts + 1 >= MAX_ATTEMPTS,
        extend=job.extend,
    )


def _give_receipt(job: Job, receipt: Receipt | None) -> None:
    earlier = job.known.receipt
    if receipt is None or receipt is earlier or not job.known.wants_receipts:
        return
    job.extend()
    give_receipt(
        job.client,
        receipt,
        post_id=job.known.post_id,
        bot_user_id=job.licence.bot_user_id,
        instead_of=earlier,
    )


def _leave_out(job: Job, why: Ignored) -> _Result:
    """Take the post out of the inbox, unless it was recorded as a reply before."""
    with job.runtime.database.transaction() as session:
        if job.known.revision:
            rows.keep(session, job.known)
        else:
            rows.remove(session, job.known)
    log.info("post_ignored", post_id=job.known.post_id, reason=why.value)
    return _Result(Outcome.IGNORED)


def _postpone(job: Job, obstacle: Obstacle) -> _Result:
    if postpone(job.runtime, job.known, obstacle):
        return _Result(Outcome.WAITING)
    if obstacle.trouble.means_no_reply:
        return _leave_out(job, Ignored.NOT_THERE)
    return _Result(Outcome.GIVEN_UP, Receipt.NOT_RECORDED)
