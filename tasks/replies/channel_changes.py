"""Everything that has changed in a channel since a moment, within the limits of one look.

Mattermost's query for this (``since``) returns at most 1,000 posts, in no order of change and with
copies of earlier versions. If more posts have changed, it returns an arbitrary part of them. So a
full answer is not used: new posts are then read page by page, and known posts by id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from tasks.mattermost import (
    Allowance,
    AllowanceSpentError,
    MattermostClient,
    OutcomeUnknownError,
    Post,
    Reason,
)
from tasks.mattermost.pages import page_anchor
from tasks.outbound.marks import PROPS_KEY, mark_of

# Mattermost's own limit; an answer with this many may have left out more.
SINCE_LIMIT = 1_000
PAGE_SIZE = 200
# The limits of one look at a channel. They allow for 38,000 new posts and 10,000 known ones, a busy
# channel's month. If a server names more, something is wrong with it.
MAX_REQUESTS = 200
MAX_BYTES = 64 * 1024 * 1024


class Cut(StrEnum):
    """Why a look did not read all of the server's changes."""

    TOO_MUCH = "more than one look may ask for"
    REPEATED = "the server's pages repeat"


@dataclass(frozen=True, slots=True)
class Changes:
    """The posts that are new, edited or deleted, oldest first, and the newest change's time (ms).

    ``newest_ms`` is 0 when nothing has changed. ``cut`` says why there may be more.
    """

    posts: tuple[Post, ...]
    newest_ms: int
    cut: Cut | None = None


class _RepeatedError(Exception):
    """A full page holds only posts of earlier pages."""


def changes_since(
    client: MattermostClient,
    channel_id: str,
    *,
    since_ms: int,
    known_post_ids: Callable[[], Sequence[str]],
    on_page: Callable[[], None],
) -> Changes:
    """Return what changed after ``since_ms`` (Mattermost's time).

    ``known_post_ids`` returns the posts whose edits and deletions matter; it is called only if the
    server's own list is full. ``on_page`` is called before each request.

    Raises:
        MattermostError: the server cannot be asked, or refuses.
    """
    found: dict[str, Post] = {}
    cut = None
    with Allowance(requests=MAX_REQUESTS, size_bytes=MAX_BYTES).running():
        try:
            _read(client, channel_id, since_ms, known_post_ids, on_page, found)
        except AllowanceSpentError:
            cut = Cut.TOO_MUCH
        except _RepeatedError:
            cut = Cut.REPEATED
    return _in_order(found.values(), now_ms=client.answer_headers.now_ms(), cut=cut)


def recent_changes(client: MattermostClient, channel_id: str, *, since_ms: int) -> Changes | None:
    """Return what changed after ``since_ms``, with one request; None: its answer is full.

    Raises:
        MattermostError: the server cannot be asked, or refuses.
    """
    posts = _since(client, channel_id, since_ms)
    if posts is None:
        return None
    found: dict[str, Post] = {}
    _keep(posts, found)
    return _in_order(found.values(), now_ms=client.answer_headers.now_ms(), cut=None)


def _read(
    client: MattermostClient,
    channel_id: str,
    since_ms: int,
    known_post_ids: Callable[[], Sequence[str]],
    on_page: Callable[[], None],
    found: dict[str, Post],
) -> None:
    """Add what has changed to ``found``, which keeps this if a later request fails."""
    on_page()
    posts = _since(client, channel_id, since_ms)
    if posts is not None:
        _keep(posts, found)
        return
    # Known posts come first, so that a list without end hides no edits and deletions.
    for post_ids in _portions(known_post_ids()):
        on_page()
        known = client.get_posts_by_ids(post_ids)
        _keep((post for post in known if post.update_at_ms > since_ms), found)
    _read_back(client, channel_id, since_ms, on_page, found)


def _since(client: MattermostClient, channel_id: str, since_ms: int) -> list[Post] | None:
    """Return the server's own list; None: it is full, or larger than what we read of one answer."""
    try:
        posts = client.get_posts_since(channel_id, since_ms=since_ms)
    except OutcomeUnknownError as error:
        if error.reason is not Reason.ANSWER_TOO_LARGE:
            raise
        return None
    return posts if len(posts) < SINCE_LIMIT else None


def _portions(post_ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (post_ids[start : start + SINCE_LIMIT] for start in range(0, len(post_ids), SINCE_LIMIT))


def _read_back(
    client: MattermostClient,
    channel_id: str,
    since_ms: int,
    on_page: Callable[[], None],
    found: dict[str, Post],
) -> None:
    """Read the channel back to that moment, page by page from the newest post.

    Raises:
        _RepeatedError: the server returns the same posts again.
    """
    listed: set[str] = set()
    on_page()
    page = client.get_posts_page(channel_id, page=0, per_page=PAGE_SIZE)
    while True:
        _keep(page, found)
        if len(page) < PAGE_SIZE or page[-1].create_at_ms <= since_ms:
            return
        fresh = {post.id for post in page} - listed
        if not fresh:
            raise _RepeatedError
        listed |= fresh
        on_page()
        page = client.get_posts_before(channel_id, post_id=page_anchor(page).id, per_page=PAGE_SIZE)


def _keep(posts: Iterable[Post], found: dict[str, Post]) -> None:
    """Add the posts to ``found``, without texts and files, which would fill the memory.

    Copies of earlier versions, which have an ``original_id``, are left out.
    """
    found.update((post.id, slim(post)) for post in posts if not post.original_id)


def slim(post: Post) -> Post:
    """Return the post without text and files, and with only the props that say what it is."""
    kept = {"from_webhook": post.props.get("from_webhook") in ("true", True)}
    mark = {PROPS_KEY: {"key": True}} if mark_of(post).get("key") else {}
    return replace(post, message="", file_ids=(), files=(), props={**kept, **mark})


def _in_order(posts: Iterable[Post], *, now_ms: int, cut: Cut | None) -> Changes:
    ordered = sorted(posts, key=lambda post: (post.create_at_ms, post.id))
    # A time in the future would move the cursor past changes that are still to come.
    moments = [post.update_at_ms for post in ordered if post.update_at_ms <= now_ms]
    return Changes(tuple(ordered), max(moments, default=0), cut)
