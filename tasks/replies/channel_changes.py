"""Everything that has changed in a channel since a moment, however much that is.

Mattermost's own question for it (``since``) answers with at most 1,000 posts, an arbitrary choice
among more, in no order of change, and with copies of earlier versions. So an answer that is full
is not believed: the new posts are then read page by page, and the known ones asked for by id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from models import utc_now
from tasks.mattermost import MattermostClient, OutcomeUnknownError, Post, Reason
from tasks.mattermost.pages import page_anchor

# Mattermost's own limit; so many may mean more.
SINCE_LIMIT = 1_000
# How far a server's clock may be ahead.
CLOCK_MARGIN = timedelta(days=1)
PAGE_SIZE = 200


@dataclass(frozen=True, slots=True)
class Changes:
    """The posts that are new, edited or deleted, oldest first, and the newest change's time (ms).

    ``newest_ms`` is 0 when nothing has changed.
    """

    posts: tuple[Post, ...]
    newest_ms: int


def changes_since(
    client: MattermostClient,
    channel_id: str,
    *,
    since_ms: int,
    known_post_ids: Callable[[], Sequence[str]],
    on_page: Callable[[], None],
) -> Changes:
    """Return what changed after ``since_ms`` (Mattermost's time).

    ``known_post_ids`` names the posts whose edits and deletions matter; it is asked only when the
    server's own list is full. ``on_page`` is called before each request.

    Raises:
        MattermostError: the server cannot be asked, or refuses.
    """
    on_page()
    posts = _since(client, channel_id, since_ms)
    if posts is None:
        known = known_post_ids()
        posts = [
            *_created_since(client, channel_id, since_ms, on_page),
            *_by_ids(client, known, since_ms, on_page),
        ]
    return _in_order(posts)


def _since(client: MattermostClient, channel_id: str, since_ms: int) -> list[Post] | None:
    """Return the server's own list; None: it is full, or larger than what we read of one answer."""
    try:
        posts = client.get_posts_since(channel_id, since_ms=since_ms)
    except OutcomeUnknownError as error:
        if error.reason is not Reason.ANSWER_TOO_LARGE:
            raise
        return None
    return posts if len(posts) < SINCE_LIMIT else None


def _created_since(
    client: MattermostClient, channel_id: str, since_ms: int, on_page: Callable[[], None]
) -> list[Post]:
    """Read the channel back to that moment, page by page from the newest post."""
    on_page()
    page = client.get_posts_page(channel_id, page=0, per_page=PAGE_SIZE)
    found = {post.id: post for post in page}
    while len(page) == PAGE_SIZE and page[-1].create_at_ms > since_ms:
        on_page()
        page = client.get_posts_before(channel_id, post_id=page_anchor(page).id, per_page=PAGE_SIZE)
        found |= {post.id: post for post in page}
    return list(found.values())


def _by_ids(
    client: MattermostClient, post_ids: Sequence[str], since_ms: int, on_page: Callable[[], None]
) -> list[Post]:
    found: list[Post] = []
    for start in range(0, len(post_ids), SINCE_LIMIT):
        on_page()
        found += client.get_posts_by_ids(post_ids[start : start + SINCE_LIMIT])
    return [post for post in found if post.update_at_ms > since_ms]


def _in_order(posts: Iterable[Post]) -> Changes:
    # A copy of an earlier version names the post it was of; a post may have come by two ways.
    current = {post.id: post for post in posts if not post.original_id}
    ordered = sorted(current.values(), key=lambda post: (post.create_at_ms, post.id))
    # A time that has not come yet would move the cursor past all that is still to change.
    soon_ms = round((utc_now() + CLOCK_MARGIN).timestamp() * 1_000)
    moments = [post.update_at_ms for post in ordered if post.update_at_ms <= soon_ms]
    return Changes(tuple(ordered), max(moments, default=0))
