"""Choose the posts for an answer: of a thread, of a channel, since a time, around a post."""

from collections.abc import Callable
from dataclasses import dataclass

from demo.mattermost.entities import Post
from demo.mattermost.post_shapes import post_list_shape
from demo.mattermost.shapes import Shape
from demo.mattermost.state import State

MAX_SINCE = 1000
DEFAULT_PER_PAGE = 60
MAX_PER_PAGE = 200


@dataclass(frozen=True, slots=True)
class ThreadPage:
    """The part of a thread that the client asks for; per_page 0 is the whole thread."""

    per_page: int = 0
    from_post_id: str = ""
    from_create_at: int = 0
    direction: str = ""


def thread(state: State, post: Post, page: ThreadPage) -> Shape:
    """Return a thread, the requested post first.

    Without a direction, the real server guarantees no order. The stand-in then orders by id, so
    that tests find a client that relies on another order. The requested post is listed twice, as
    version 6.7.2 does.
    """
    root_id = post.root_id or post.id
    posts = [p for p in (state.posts[root_id], *state.replies(root_id)) if not p.delete_at]
    if not page.per_page:
        return post_list_shape(state, [post, *_ordered(posts, page)], kind="thread_list")
    rest = [other for other in _ordered(posts, page) if _is_beyond(other, page)]
    return post_list_shape(
        state,
        [post, *(other for other in rest[: page.per_page] if other.id != post.id)],
        has_next=len(rest) > page.per_page,
        kind="thread_list",
    )


def _ordered(posts: list[Post], page: ThreadPage) -> list[Post]:
    if not page.direction and not page.per_page:
        return sorted(posts, key=lambda post: post.id)
    return sorted(posts, key=_place, reverse=page.direction != "down")


def _is_beyond(post: Post, page: ThreadPage) -> bool:
    if not page.from_create_at:
        return True
    start = (page.from_create_at, page.from_post_id)
    return _place(post) > start if page.direction == "down" else _place(post) < start


def _place(post: Post) -> tuple[int, str]:
    return post.create_at, post.id


def since(state: State, channel_id: str, *, since_ms: int) -> Shape:
    """Return what changed after a time: new, edited and deleted posts, and copies of edited ones.

    Beyond the limit, the real server returns an arbitrary selection. The stand-in returns the
    posts with the lowest ids, which are random.
    """
    changed = [p for p in state.channel_posts(channel_id) if p.update_at > since_ms]
    kept = sorted(changed, key=lambda post: post.id)[:MAX_SINCE]
    return post_list_shape(
        state,
        sorted(kept, key=lambda post: post.create_at, reverse=True),
        with_reply_count=False,
    )


def page(state: State, channel_id: str, *, number: int, per_page: int) -> Shape:
    """Return one page of the channel's posts that are not deleted, newest first."""
    live = _live_newest_first(state, channel_id)
    return _with_cursors(state, live, live[number * per_page : (number + 1) * per_page])


def before(state: State, channel_id: str, *, anchor_id: str, number: int, per_page: int) -> Shape:
    """Return the posts just before the anchor, newest first, without its own millisecond."""
    older = _beside(state, channel_id, anchor_id, lambda post, at: post.create_at < at)
    live = _live_newest_first(state, channel_id)
    return _with_cursors(state, live, older[number * per_page : (number + 1) * per_page])


def after(state: State, channel_id: str, *, anchor_id: str, number: int, per_page: int) -> Shape:
    """Return the oldest posts after the anchor, newest first, without its own millisecond."""
    newer = _beside(state, channel_id, anchor_id, lambda post, at: post.create_at > at)[::-1]
    live = _live_newest_first(state, channel_id)
    chosen = newer[number * per_page : (number + 1) * per_page][::-1]
    return _with_cursors(state, live, chosen)


def _beside(
    state: State, channel_id: str, anchor_id: str, is_beside: Callable[[Post, int], bool]
) -> list[Post]:
    anchor = state.posts.get(anchor_id)
    if anchor is None:
        return []
    live = _live_newest_first(state, channel_id)
    return [post for post in live if is_beside(post, anchor.create_at)]


def _live_newest_first(state: State, channel_id: str) -> list[Post]:
    return [post for post in state.channel_posts(channel_id) if not post.delete_at][::-1]


def _with_cursors(state: State, live: list[Post], chosen: list[Post]) -> Shape:
    if not chosen:
        return post_list_shape(state, chosen)
    newest, oldest = live.index(chosen[0]), live.index(chosen[-1])
    return post_list_shape(
        state,
        chosen,
        next_post_id=live[newest - 1].id if newest else "",
        prev_post_id=live[oldest + 1].id if oldest + 1 < len(live) else "",
    )
