"""The root post of a thread: create it once, find it again, and notice that it was deleted."""

from __future__ import annotations

from dataclasses import replace

from ireserve_mattermost.lanes import LaneEntry
from models import DeliveryKind
from tasks.failures import UndecidedError
from tasks.mattermost import Post, Reason, RefusedError
from tasks.outbound import ledger
from tasks.outbound.card import ROOT_PART, RootDraft, draft_root, root_mark_data
from tasks.outbound.endings import record_errors, write_root
from tasks.outbound.job import Attempt, Job
from tasks.outbound.ledger import Begun
from tasks.outbound.marks import Mark
from tasks.outbound.orphans import take_over
from tasks.outbound.settlement import Draft, Place, find_earlier, post_marked
from tasks.outbound.threads import Thread, root_payload
from tasks.outbound.undecided import translate_query_errors


def ensure_root(job: Job, thread: Thread) -> Thread:
    """Return the thread with its root post, which is created if there is none.

    A root post that failed before is tried again, because the message of this job needs it.

    Raises:
        RateLimitedError, UndecidedError, SendFailedError, MattermostError: as ``send_root``.
    """
    if thread.root_post_id is not None:
        return thread
    entry = LaneEntry(DeliveryKind.ROOT, thread.root_key, job.task_id, {}, job.enqueued_at_ms)
    with job.database.connection() as connection:
        opening = ledger.begin(connection, job.lane, [entry], even_if_final=True)
    # If the root post fails, its row keeps the root post's own arguments, not those of the message
    # that needs it.
    root_job = replace(job, payload=root_payload(job.lane, thread))
    try:
        return send_root(root_job, thread, opening.begun[entry.key])
    except UndecidedError as error:
        # No request for the message that needs the root post has been sent yet.
        raise UndecidedError(
            error.reason,
            error.detail,
            look_again_s=error.look_again_s,
            sent_off=False,
            cause=error.cause,
        ) from None


def send_root(job: Job, thread: Thread, begun: Begun) -> Thread:
    """Create the root post whose row has been begun, link it, and return the thread with it.

    Raises:
        RateLimitedError, UndecidedError: the root post has to wait; its row says so.
        SendFailedError, MattermostError: the root post has failed; its row says so.
    """
    attempt = Attempt(begun, Mark.of(job.lane, thread.root_key))
    with record_errors(job, attempt):
        card = draft_root(thread, job.licence)
        is_found = begun.must_look
        root = _find_or_make_root(job, thread, attempt, card)
        if thread.number > 1:
            take_over(job, thread, root, begun)
        # A root post of an earlier attempt may show another card, so it is drawn again.
        digest = "" if is_found else card.digest
        return write_root(job, thread, begun, root, card_digest=digest)


def _find_or_make_root(job: Job, thread: Thread, attempt: Attempt, card: RootDraft) -> Post:
    # Look in the channel of the earlier attempt: the default channel may have changed since.
    find_earlier(job, attempt, Place(thread.channel_id))
    root = Draft(ROOT_PART, card.message, props=card.props, mark_data=root_mark_data(thread))
    return post_marked(job, attempt, Place(job.licence.default_channel_id), root)


def is_root_gone(job: Job, thread: Thread, refusal: RefusedError) -> bool:
    """Return whether a reply was refused because the root post is deleted or unknown.

    The server refuses a reply with the same id if its database fails while it loads the root post.
    So the refusal alone proves nothing. A query by id returns deleted posts too.
    """
    if refusal.reason is not Reason.ROOT_REJECTED:
        return False
    root_post_id = thread.root_post_id or ""
    job.extend()
    try:
        with translate_query_errors():
            posts = job.client.get_posts_by_ids([root_post_id])
    except RefusedError as error:
        if error.reason is Reason.NOT_FOUND:
            return True
        raise
    return all(post.delete_at_ms for post in posts if post.id == root_post_id)
