"""Build the JSON of followed threads."""

from collections.abc import Iterable

from demo.mattermost.entities import Post
from demo.mattermost.post_shapes import post_shape
from demo.mattermost.shapes import Shape
from demo.mattermost.state import State
from demo.mattermost.threads import FollowedThread


def thread_shape(state: State, thread: FollowedThread) -> Shape:
    """Return one thread's JSON for its follower."""
    shape = {
        "id": thread.root.id,
        "reply_count": len(thread.replies),
        "last_reply_at": thread.last_reply_at,
        "last_viewed_at": thread.last_viewed_at,
        "participants": participants(thread.replies),
        "post": post_shape(state, thread.root),
        "unread_replies": thread.unread_replies,
        "unread_mentions": thread.unread_mentions,
        "is_urgent": thread.is_urgent,
        "delete_at": 0,
    }
    return state.version.shaped("thread", shape)


def threads_shape(
    state: State, *, all_threads: Iterable[FollowedThread], shown: Iterable[FollowedThread]
) -> Shape:
    """Return the JSON of the totals of all threads, and of the shown threads."""
    threads = list(all_threads)
    shape = {
        "total": len(threads),
        "total_unread_threads": sum(thread.unread_replies > 0 for thread in threads),
        "total_unread_mentions": sum(thread.unread_mentions for thread in threads),
        "total_unread_urgent_mentions": sum(
            thread.unread_mentions for thread in threads if thread.is_urgent
        ),
        "threads": [thread_shape(state, thread) for thread in shown],
    }
    return state.version.shaped("threads", shape)


def participants(replies: Iterable[Post]) -> list[Shape]:
    """Return the authors of the replies, each once, with ids only, as the server does."""
    return [{"id": user_id} for user_id in dict.fromkeys(reply.user_id for reply in replies)]
