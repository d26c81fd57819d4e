"""A look at one channel: it puts the posts that have changed there into the inbox."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from models import CatchUpCursor, utc_now
from tasks.licences.access import LicenceAccess
from tasks.mattermost import MattermostClient, Post, RefusedError
from tasks.outbound.orphans import is_orphan, new_threads_of
from tasks.replies.changed_replies import known_post_ids, posts_to_take_in, take_in
from tasks.replies.channel_changes import changes_since, recent_changes
from tasks.replies.giving_receipts import plan_receipts
from tasks.replies.hints import plan_hint
from tasks.replies.late_posts import late_posts
from tasks.replies.live_channels import LiveChannel
from tasks.replies.look_notes import LookNotes
from tasks.replies.meaning import why_ignored
from tasks.replies.open_replies import BATCH
from tasks.runtime import Runtime
from tasks.wake import wake_replies

log = structlog.get_logger(__name__)

# Each look begins this long before the end of the last one. So it misses no post of the same
# millisecond, of a replica that lagged behind, or of a cluster node whose clock is slow.
OVERLAP_MS = 120_000
# A look at a busy channel overlaps less, since the next whole look overlaps more.
BUSY_OVERLAP_MS = 10_000
# The posts of one transaction. It takes about 20 ms on SQLite, where all other writers wait for it.
CHUNK = 5_000
# Up to this many posts are looked up before they are written: usually none of them is new.
FEW = 200
# The most wake-ups of one look. A licence may have fewer threads, and each wake-up costs as much as
# a hundred rows.
WAKE_UPS = 20


@dataclass(frozen=True, slots=True)
class LookJob:
    """A licence whose channels are looked at; ``on_page`` is called before each request."""

    runtime: Runtime
    licence: LicenceAccess
    on_page: Callable[[], None]

    @property
    def client(self) -> MattermostClient:
        """The client for the licence's server."""
        return self.runtime.clients.of(self.licence)

    @property
    def notes(self) -> LookNotes:
        """What the workers note about their looks."""
        return LookNotes(self.runtime.redis, self.licence.id)


def look(job: LookJob, channel: LiveChannel) -> int:
    """Put all that has changed since the last look into the inbox; return how many posts.

    Raises:
        MattermostError: the server cannot be asked, or refuses; the cursor stays.
    """
    if job.notes.is_skipped(channel.id):
        return 0
    # An earlier version may have stored a cursor in the future.
    cursor_ms = min(channel.cursor_ms, job.client.answer_headers.now_ms())
    since_ms = cursor_ms - OVERLAP_MS
    changes = changes_since(
        job.client,
        channel.id,
        since_ms=since_ms,
        known_post_ids=lambda: _known(job, channel.id),
        on_page=job.on_page,
    )
    if changes.cut is not None:
        # This is logged once for the same changes, since the cursor moves past them.
        log.error(
            "catch_up_cut",
            licence_id=job.licence.id,
            channel_id=channel.id,
            reason=changes.cut.value,
        )
        job.notes.skip(channel.id)
    late = late_posts(job.runtime, job.licence, channel, since_ms=since_ms, on_page=job.on_page)
    count = _take_in(job, [*late, *changes.posts])
    # The cursor moves last: if a look breaks off before this, the next one finds the same changes.
    if changes.newest_ms > cursor_ms:
        _move_cursor(job, channel.id, changes.newest_ms)
    return count


def look_at_recent_changes(job: LookJob, channel: LiveChannel) -> int:
    """Put what has changed in the last seconds into the inbox; return how many posts.

    It sends one request. If one answer cannot hold all changes, the next whole look takes them.

    Raises:
        MattermostError: the server cannot be asked, or refuses.
    """
    notes = job.notes.of_busy(channel.id)
    if notes.is_skipped:
        return 0
    cursor_ms = min(max(channel.cursor_ms, notes.seen_ms), job.client.answer_headers.now_ms())
    job.on_page()
    try:
        changes = recent_changes(job.client, channel.id, since_ms=cursor_ms - BUSY_OVERLAP_MS)
    except RefusedError:
        job.notes.note_refused(channel.id)
        raise
    if changes is None:
        return 0
    count = _take_in(job, changes.posts)
    if changes.newest_ms > cursor_ms:
        job.notes.note_seen(channel.id, changes.newest_ms)
    return count


def _take_in(job: LookJob, posts: Sequence[Post]) -> int:
    """Write the replies among the posts into the inbox, and wake workers; return how many."""
    _begin_threads_anew(job, posts)
    kept = _without_lost_threads(job, posts)
    bot_user_id = job.licence.bot_user_id
    replies = [post for post in kept if why_ignored(post, bot_user_id=bot_user_id) is None]
    now_ms = job.client.answer_headers.now_ms()
    if len(replies) <= FEW:
        replies = _posts_to_take_in(job, replies, now_ms)
    not_before_ms = _kept_since_ms(job.runtime.settings.retention_replies_days)
    woken: list[int] = []
    for start in range(0, len(replies), CHUNK):
        with job.runtime.database.transaction() as session:
            some = replies[start : start + CHUNK]
            woken += take_in(
                session, job.licence.id, some, now_ms=now_ms, not_before_ms=not_before_ms
            )
    wake_all(woken, licence_id=job.licence.id)
    hint_due_at = plan_hint(job.runtime, job.licence, kept, extend=job.on_page)
    plan_receipts(job.runtime, job.licence.id, due_at=hint_due_at)
    return len(woken)


def _kept_since_ms(days: int | None) -> int:
    """Return from which time on replies are kept (Unix time, ms); 0: all are kept."""
    return 0 if days is None else round((utc_now() - timedelta(days=days)).timestamp() * 1_000)


def _posts_to_take_in(job: LookJob, posts: Sequence[Post], now_ms: int) -> list[Post]:
    """Return the posts that change something, so that a look that finds none writes nothing."""
    if not posts:
        return []
    with job.runtime.database.reading() as connection:
        return posts_to_take_in(connection, job.licence.id, posts, now_ms=now_ms)


def _begin_threads_anew(job: LookJob, posts: Sequence[Post]) -> None:
    """Begin a new thread where a message was posted while its root post was being deleted.

    For a deleted root alone, the conversation's next message begins the new thread.
    """
    runtime, licence = job.runtime, job.licence
    gone = {post.id for post in posts if post.delete_at_ms and not post.root_id}
    orphaned = {
        post.root_id
        for post in posts
        if post.root_id in gone and is_orphan(post, bot_user_id=licence.bot_user_id)
    }
    if not orphaned:
        return
    for lane, entry in new_threads_of(runtime.database, licence, orphaned):
        runtime.lanes.append(lane, entry)
        runtime.lanes.revive(lane.licence_id, overdue_ms=0)


def _without_lost_threads(job: LookJob, posts: Sequence[Post]) -> list[Post]:
    """Leave out replies that were deleted together with their root post.

    A member who deletes the root post loses the thread in Mattermost, and the next message begins a
    new one. This takes back nothing that the visitor was told.
    """
    root_ids = {post.root_id for post in posts if post.delete_at_ms and post.root_id}
    if not root_ids:
        return list(posts)
    job.on_page()
    roots = {post.id: post.delete_at_ms for post in job.client.get_posts_by_ids(sorted(root_ids))}
    return [
        post
        for post in posts
        if not post.delete_at_ms or roots.get(post.root_id) != post.delete_at_ms
    ]


def _known(job: LookJob, channel_id: str) -> list[str]:
    with job.runtime.database.snapshot() as session:
        return known_post_ids(session, job.licence.id, channel_id)


def _move_cursor(job: LookJob, channel_id: str, newest_ms: int) -> None:
    cursor = CatchUpCursor(licence_id=job.licence.id, channel_id=channel_id, since_ms=newest_ms)
    with job.runtime.database.transaction() as session:
        session.merge(cursor)


def wake_all(reply_ids: Sequence[int], *, licence_id: str) -> None:
    """Publish a wake-up for each part of the replies; the sweep makes up for a lost one."""
    size = max(BATCH, math.ceil(len(reply_ids) / WAKE_UPS))
    for start in range(0, len(reply_ids), size):
        if not wake_replies(reply_ids[start : start + size], licence_ids=[licence_id]):
            return
