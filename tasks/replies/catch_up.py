"""Catch-up: asks Mattermost for what its webhooks missed, and puts it through the same inbox.

Mattermost sends a webhook once, for public channels, and not for edits or deletions. What changed
in a channel since the last look is read here: that is what makes private channels work at all.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute

from ireserve_mattermost.locks import LockLostError
from models import (
    CatchUpCursor,
    Conversation,
    Database,
    Licence,
    utc_now,
)
from tasks.app import app
from tasks.failures import SendFailedError
from tasks.licences.access import LicenceAccess
from tasks.mattermost import (
    MattermostClient,
    MattermostError,
    NotSentError,
    OutcomeUnknownError,
    Post,
    RateLimitedError,
)
from tasks.outbound.drain import leave, serve
from tasks.outbound.orphans import is_orphan, new_threads_of
from tasks.outbound.tasks import show_failures
from tasks.replies.changed_replies import known_post_ids, take_in
from tasks.replies.channel_changes import changes_since
from tasks.replies.meaning import why_ignored
from tasks.replies.open_replies import BATCH
from tasks.replies.own_names import look_at_own_names
from tasks.runtime import Runtime, current_runtime
from tasks.wake import wake_replies

log = structlog.get_logger(__name__)

# A conversation in which nothing was said for so long is not looked after any more.
ACTIVE_FOR = timedelta(days=30)
# Each look goes back by this much behind the last one: a post of the same millisecond, one that a
# lagging replica did not have yet, or one of a cluster node whose clock is behind, is not missed.
OVERLAP_MS = 120_000
# Our clock and the server's may differ by this much; it matters for the first look alone.
CLOCK_MARGIN = timedelta(minutes=5)
# One transaction for so many posts: on SQLite everybody else waits for it, some 20 ms.
CHUNK = 5_000
# However many replies there are, at most so many wake-ups: more than a licence may have threads,
# and each costs as much as a hundred rows.
WAKE_UPS = 20


@app.task(name="mattermost.collect_replies", send_events=False)
def collect_replies() -> str:
    """Start a look for each licence that has conversations; safe to run twice at the same time."""
    runtime = current_runtime()
    licences = licences_to_look_after(runtime.database)
    for licence_id in licences:
        # A look that could not start before the next one is superseded by it.
        app.send_task(
            collect_licence.name,
            kwargs={"licence_id": licence_id},
            expires=runtime.settings.catch_up_interval_s,
            kwargsrepr=repr({"licence_id": licence_id}),
        )
    return f"{len(licences)} licences"


def licences_to_look_after(database: Database) -> list[str]:
    """Return the licences in whose conversations something was said lately."""
    is_live = _live(Licence.id).exists()
    licences = select(Licence.id).where(Licence.enabled, is_live).order_by(Licence.id)
    with database.snapshot() as session:
        return list(session.scalars(licences))


@app.task(name="mattermost.collect_licence", send_events=False)
def collect_licence(licence_id: str) -> str:
    """Collect what changed in one licence's channels, unless somebody is at it already."""
    runtime = current_runtime()
    # A run is not put off but left out: the next one looks at the same changes.
    if not runtime.shares.enter(licence_id):
        return "the licence has its share of the threads"
    try:
        with runtime.locks.of_catch_up(licence_id) as lock:
            if lock is None:
                return "another worker is at it"
            return f"{collect(runtime, licence_id, on_page=lock.extend)} changes"
    except LockLostError:
        # The cursors stay where they were, so the other worker's look finds the same changes.
        log.warning("catch_up_lost", licence_id=licence_id)
        return "another worker has taken it over"
    finally:
        show_failures(serve(runtime, leave(runtime, licence_id)))


def collect(runtime: Runtime, licence_id: str, *, on_page: Callable[[], None]) -> int:
    """Put what changed in the licence's channels into the inbox; return how many posts.

    A channel that cannot be read (the bot was removed from it) does not stop the others. A server
    that cannot be reached ends the look; the cursors stay, so that the next one finds it all.
    """
    try:
        licence = runtime.licences.access(licence_id)
    except SendFailedError as error:
        log.warning("catch_up_impossible", licence_id=licence_id, reason=error.reason.value)
        return 0
    if runtime.circuits.state(licence_id).blocks(time.time()):
        return 0
    count = 0
    for look in _looks(runtime, licence_id):
        try:
            count += _collect_channel(runtime, licence, look, on_page)
        except (NotSentError, OutcomeUnknownError, RateLimitedError) as error:
            runtime.circuits.note(licence_id, error)
            log.warning("catch_up_broke_off", licence_id=licence_id, reason=error.reason.value)
            break
        except MattermostError as error:
            log.warning(
                "catch_up_failed",
                licence_id=licence_id,
                channel_id=look.channel_id,
                reason=error.reason.value,
            )
    else:
        runtime.circuits.note(licence_id, None)
        on_page()
        look_at_own_names(runtime.database, runtime.clients.of(licence), licence)
    return count


@dataclass(frozen=True, slots=True)
class _Look:
    """One channel to look at, and since when (Mattermost's time, ms)."""

    channel_id: str
    since_ms: int


def _live(licence_id: ColumnElement[str] | InstrumentedAttribute[str] | str) -> Select[Any]:
    return select(Conversation).where(
        Conversation.licence_id == licence_id,
        Conversation.last_active_at >= utc_now() - ACTIVE_FOR,
        Conversation.root_post_id.is_not(None),
    )


def _looks(runtime: Runtime, licence_id: str) -> list[_Look]:
    """Return the channels with live threads; one without a cursor is read from its first thread."""
    channels = (
        _live(licence_id)
        .with_only_columns(Conversation.channel_id, func.min(Conversation.created_at))
        .group_by(Conversation.channel_id)
        .order_by(Conversation.channel_id)
    )
    with runtime.database.snapshot() as session:
        cursors = {
            cursor.channel_id: cursor.since_ms
            for cursor in session.scalars(
                select(CatchUpCursor).where(CatchUpCursor.licence_id == licence_id)
            )
        }
        rows = session.execute(channels).all()
    return [
        _Look(channel_id, cursors.get(channel_id) or _before(first)) for channel_id, first in rows
    ]


def _before(moment: datetime) -> int:
    return round((moment - CLOCK_MARGIN).timestamp() * 1_000)


def _collect_channel(
    runtime: Runtime, licence: LicenceAccess, look: _Look, on_page: Callable[[], None]
) -> int:
    changes = changes_since(
        runtime.clients.of(licence),
        look.channel_id,
        since_ms=look.since_ms - OVERLAP_MS,
        known_post_ids=lambda: _known(runtime, licence.id, look.channel_id),
        on_page=on_page,
    )
    _begin_threads_anew(runtime, licence, changes.posts)
    kept = _without_lost_threads(runtime.clients.of(licence), changes.posts, on_page)
    posts = [post for post in kept if why_ignored(post, bot_user_id=licence.bot_user_id) is None]
    woken: list[int] = []
    not_before_ms = _kept_since_ms(runtime.settings.retention_replies_days)
    for start in range(0, len(posts), CHUNK):
        chunk = posts[start : start + CHUNK]
        with runtime.database.transaction() as session:
            woken += take_in(session, licence.id, chunk, not_before_ms=not_before_ms)
    # Only now: a look that breaks off before this finds the same changes again.
    if changes.newest_ms > look.since_ms:
        _move_cursor(runtime, licence.id, look.channel_id, changes.newest_ms)
    wake_all(woken)
    return len(woken)


def _kept_since_ms(days: int | None) -> int:
    """Return since when replies are kept (Mattermost's time, ms); 0: for ever."""
    return 0 if days is None else round((utc_now() - timedelta(days=days)).timestamp() * 1_000)


def _begin_threads_anew(runtime: Runtime, licence: LicenceAccess, posts: Sequence[Post]) -> None:
    """Give a new thread to each message that was taken as its root was being deleted.

    A deleted root alone begins nothing: the next message of its conversation does.
    """
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


def _without_lost_threads(
    client: MattermostClient, posts: Sequence[Post], on_page: Callable[[], None]
) -> list[Post]:
    """Leave out replies that were deleted together with their root post.

    Who deletes the root loses the thread in Mattermost, which the next message begins anew; nobody
    took back what the visitor was told.
    """
    root_ids = {post.root_id for post in posts if post.delete_at_ms and post.root_id}
    if not root_ids:
        return list(posts)
    on_page()
    roots = {post.id: post.delete_at_ms for post in client.get_posts_by_ids(sorted(root_ids))}
    return [
        post
        for post in posts
        if not post.delete_at_ms or roots.get(post.root_id) != post.delete_at_ms
    ]


def _known(runtime: Runtime, licence_id: str, channel_id: str) -> list[str]:
    with runtime.database.snapshot() as session:
        return known_post_ids(session, licence_id, channel_id)


def _move_cursor(runtime: Runtime, licence_id: str, channel_id: str, newest_ms: int) -> None:
    with runtime.database.transaction() as session:
        session.merge(
            CatchUpCursor(licence_id=licence_id, channel_id=channel_id, since_ms=newest_ms)
        )


def wake_all(reply_ids: Sequence[int]) -> None:
    """Publish a wake-up for each share of the replies; the sweep wakes those of a lost one."""
    size = max(BATCH, math.ceil(len(reply_ids) / WAKE_UPS))
    for start in range(0, len(reply_ids), size):
        if not wake_replies(reply_ids[start : start + size]):
            return
