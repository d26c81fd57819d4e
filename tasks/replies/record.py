"""Record one reply: read its post, do what the post means, tell i-Reserve, plan the receipt."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ireserve_mattermost.locks import HeldLock, LockLostError
from models import ReplyState, Visibility
from tasks.attachments import AttachmentReason
from tasks.failures import SendFailedError
from tasks.licences.access import LicenceAccess
from tasks.mattermost import MattermostError, Post, Reason
from tasks.outbound.redraw import ask_for_card, note_reply
from tasks.replies import rows
from tasks.replies.backoff import Obstacle, PostponedError, Trouble, obstacle_of
from tasks.replies.content import Content
from tasks.replies.endings import Ending, EndKind, note_ending
from tasks.replies.files import File, fetch_files
from tasks.replies.giving_receipts import plan_receipts
from tasks.replies.hand_over import hand_over
from tasks.replies.hints import plan_hint
from tasks.replies.job_files import fetching_of, remove_files
from tasks.replies.known_reply import KnownReply, lacks_files
from tasks.replies.meaning import Ignored, Means, meaning_of
from tasks.replies.pauses import continue_pause, pause_reply
from tasks.replies.postponing import postpone
from tasks.replies.questions import PostFacts, ReplyJob, ask_for_post
from tasks.runtime import Runtime

_STORE_AWAY = Obstacle(
    Trouble.AWAY,
    AttachmentReason.STORE_UNAVAILABLE.value,
    "The reply is recorded; its files follow when the attachment store takes them.",
)


def record(runtime: Runtime, reply: KnownReply) -> EndKind:
    """Do what a reply of the inbox needs, and return what became of it.

    ``reply`` is the row as it was a moment ago. Afterwards the row holds what Mattermost answered;
    a version that is older than the recorded one changes nothing. If the broker is up, i-Reserve's
    task is sent before this returns.
    """
    if reply.state is ReplyState.RECEIVED:
        ending = _record_received(runtime, reply)
    else:
        ending = _tell(runtime, reply.id)
    note_ending(runtime.tallies, reply, ending)
    if ending.reply is not None:
        plan_receipts(runtime, reply.licence_id, due_at=ending.reply.receipt_due_at)
    return ending.kind


def _tell(runtime: Runtime, reply_id: int) -> Ending:
    """Tell i-Reserve what was recorded earlier; this asks nothing of Mattermost."""
    known = _load(runtime, reply_id)
    if known is None:
        return Ending(EndKind.GONE)
    if known.pending_event is None:
        return Ending(EndKind.UNCHANGED)
    return Ending(EndKind.HANDED_OVER if hand_over(runtime, known) else EndKind.UNTOLD)


def _record_received(runtime: Runtime, reply: KnownReply) -> Ending:
    try:
        licence = _access(runtime, reply.licence_id)
    except PostponedError as error:
        ending = postpone(runtime.database, reply, error.obstacle)
        if reply.pending_event is not None:
            _tell(runtime, reply.id)
        return ending
    with runtime.locks.of_reply(licence.id, reply.post_id) as lock:
        if lock is None:
            return Ending(EndKind.BUSY)
        try:
            return _record_locked(runtime, licence, reply.id, lock)
        except LockLostError:
            return Ending(EndKind.LOST)


def _access(runtime: Runtime, licence_id: str) -> LicenceAccess:
    """Return the licence, if its server may be asked now.

    Raises:
        PostponedError: the server is away, or the licence cannot be used.
    """
    if runtime.circuits.state(licence_id).blocks(time.time()):
        detail = "Its server is away; replies wait until it is back."
        raise PostponedError(Trouble.AWAY, Reason.UNREACHABLE.value, detail)
    try:
        return runtime.licences.access(licence_id)
    except SendFailedError as error:
        raise PostponedError(Trouble.REFUSED, error.reason.value, error.detail) from None


def _record_locked(
    runtime: Runtime, licence: LicenceAccess, reply_id: int, lock: HeldLock
) -> Ending:
    # The worker that had the lock a moment ago may have changed the row, or removed it.
    known = _load(runtime, reply_id)
    if known is None:
        return Ending(EndKind.GONE)
    if known.state is not ReplyState.RECEIVED:
        return Ending(EndKind.UNCHANGED)
    job = ReplyJob(runtime, licence, runtime.clients.of(licence), known, lock.extend)
    waiting = continue_pause(job)
    if waiting is not None:
        return Ending(EndKind.PAUSED, waiting)
    ending = _attempt(job)
    hand_over(runtime, ending.reply)
    if ending.changes_card and ending.reply is not None:
        ask_for_card(runtime, licence.id, ending.reply.conversation_id or "")
    return ending


def _load(runtime: Runtime, reply_id: int) -> KnownReply | None:
    with runtime.database.reading() as connection:
        return next(iter(rows.load(connection, [reply_id])), None)


def _attempt(job: ReplyJob) -> Ending:
    """Do what the post means, or postpone the reply."""
    try:
        ending = _act_on_meaning(job, ask_for_post(job))
    except MattermostError as error:
        job.runtime.circuits.note(job.licence.id, error)
        return _postpone(job, obstacle_of(error))
    except PostponedError as error:
        # The server has answered, whatever is missing, so the circuit is closed below.
        ending = _postpone(job, error.obstacle)
    job.runtime.circuits.note(job.licence.id, None)
    return ending


def _act_on_meaning(job: ReplyJob, post: Post) -> Ending:
    facts = PostFacts(job, post)
    match meaning_of(facts.for_rules()):
        case Means.REPLY:
            return _pause_or_write(job, facts)
        case Means.NOTE | Means.COMMAND:
            return _write(job, facts, facts.post_text.as_note())
        case Means.NOTHING_TO_SHOW:
            return _write_empty(job, facts)
        case Means.DELETION:
            return _write_deleted(job, post, is_gone=True)
        case Means.GONE_WITH_THREAD:
            return _write_unchanged(job, update_at_ms=post.update_at_ms)
        case Means.OLD_VERSION:
            return _write_unchanged(job)
        case Means.UNLINKED:
            raise PostponedError(
                Trouble.UNLINKED,
                Ignored.UNKNOWN_THREAD.value,
                f"No conversation has the thread {post.root_id} yet.",
            )
        case Ignored() as why:
            return _ignore(job, facts, why)


def _ignore(job: ReplyJob, facts: PostFacts, why: Ignored) -> Ending:
    """Leave the post out; plan a warning or a hint for a member whose post no visitor reads."""
    if why is Ignored.ROOT_POST:
        due_at = plan_hint(job.runtime, job.licence, [facts.post], extend=job.extend)
        plan_receipts(job.runtime, job.licence.id, due_at=due_at)
    if why.is_warned_about and not job.known.revision:
        return _write_empty(job, facts, why)
    return _remove_from_inbox(job, why)


def _pause_or_write(job: ReplyJob, facts: PostFacts) -> Ending:
    """Write a reply to the visitor, or let it wait if the visitor has not read it yet."""
    if not job.known.is_read_by_the_visitor:
        assert facts.owner is not None
        waiting = pause_reply(job, facts.post, facts.owner)
        if waiting is not None:
            return Ending(EndKind.PAUSED, waiting)
    return _write(job, facts, facts.post_text.as_reply())


def _write(job: ReplyJob, facts: PostFacts, content: Content) -> Ending:
    known, post, owner = job.known, facts.post, facts.owner
    assert owner is not None
    fetching = fetching_of(job, owner)
    files = fetch_files(fetching, post)
    if known.revision and not rows.differs(known, content, files):
        return _keep_as_it_reads(job, post, files, attempt=fetching.attempt)
    author = facts.author
    # Fetching files takes time. This raises if the lock was lost meanwhile.
    job.extend()
    with job.runtime.database.connection() as connection:
        written = rows.write_recorded(
            connection,
            known,
            post,
            owner=owner,
            author=author,
            content=content,
            files=files,
            attempt=fetching.attempt,
        )
        changes_card = written is not None and note_reply(
            connection,
            owner.row,
            posted_at_ms=post.create_at_ms,
            is_answer=_is_first_for_visitor(known, content),
        )
    if written is None or known.files or known.attempts:
        remove_files(job)
    if written is None:
        return Ending(EndKind.GONE)
    if lacks_files(files):
        # i-Reserve is told at once; the files follow as a later revision when the store is back.
        postpone(job.runtime.database, written, _STORE_AWAY)
    kind = EndKind.EDITED if known.revision else EndKind.RECORDED
    return Ending(kind, written, changes_card=changes_card)


def _is_first_for_visitor(known: KnownReply, content: Content) -> bool:
    """Return whether the visitor gets the reply, and did not get an earlier version of it."""
    return content.visibility is Visibility.PUBLIC and known.visibility is not Visibility.PUBLIC


def _keep_as_it_reads(job: ReplyJob, post: Post, files: Sequence[File], *, attempt: str) -> Ending:
    """Keep a reply whose text, reader and stored files have not changed."""
    if lacks_files(files):
        return _postpone(job, _STORE_AWAY)
    if job.known.files != tuple(files):
        # Only the reasons of missing files have changed; i-Reserve is not told of those.
        with job.runtime.database.connection() as connection:
            rows.write_files(connection, job.known, files, attempt)
    return _write_unchanged(job, update_at_ms=post.update_at_ms)


def _write_empty(job: ReplyJob, facts: PostFacts, why: Ignored | None = None) -> Ending:
    """Record that no visitor sees the post; take back what i-Reserve was told of it before."""
    known, owner = job.known, facts.owner
    if known.revision:
        return _write_deleted(job, facts.post, is_gone=False)
    with job.runtime.database.autocommit() as connection:
        empty = rows.write_empty(connection, known, facts.post, owner=owner, reason=why)
    return Ending(EndKind.IGNORED if why else EndKind.EMPTY, empty, reason=why)


def _write_unchanged(job: ReplyJob, *, update_at_ms: int | None = None) -> Ending:
    with job.runtime.database.autocommit() as connection:
        kept = rows.write_unchanged(connection, job.known, update_at_ms=update_at_ms)
    return Ending(EndKind.UNCHANGED, kept)


def _write_deleted(job: ReplyJob, post: Post, *, is_gone: bool) -> Ending:
    with job.runtime.database.connection() as connection:
        forgotten = rows.write_deleted(connection, job.known, post, is_gone=is_gone)
    if job.known.files:
        remove_files(job)
    return Ending(EndKind.DELETED, forgotten)


def _remove_from_inbox(job: ReplyJob, why: Ignored) -> Ending:
    """Take the post out of the inbox, unless it was recorded as a reply before."""
    if job.known.revision:
        return Ending(EndKind.IGNORED, _write_unchanged(job).reply, reason=why.value)
    with job.runtime.database.autocommit() as connection:
        rows.remove(connection, job.known)
    return Ending(EndKind.IGNORED, reason=why.value)


def _postpone(job: ReplyJob, obstacle: Obstacle) -> Ending:
    ending = postpone(job.runtime.database, job.known, obstacle)
    if ending.kind is EndKind.GIVEN_UP and obstacle.trouble.means_no_reply:
        is_unlinked = obstacle.trouble is Trouble.UNLINKED
        return _remove_from_inbox(job, Ignored.UNKNOWN_THREAD if is_unlinked else Ignored.NOT_THERE)
    return ending
