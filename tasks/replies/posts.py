"""What a post means for the inbox: nothing, or a reply; decided by the post alone."""

from __future__ import annotations

from enum import StrEnum

from tasks.mattermost import Post
from tasks.outbound.marks import mark_of

# "/me is looking" is a person's words too. All other types are the server's or a plugin's.
TYPES_OF_PEOPLE = frozenset({"", "me"})


class Ignored(StrEnum):
    """Why a post is no reply to a visitor."""

    ROOT_POST = "root_post"
    HISTORY_COPY = "history_copy"
    SYSTEM_MESSAGE = "system_message"
    WEBHOOK = "webhook"
    OWN_POST = "own_post"
    OTHER_BOT = "other_bot"
    UNKNOWN_THREAD = "unknown_thread"
    NOT_THERE = "not_there"
    DELETED = "deleted"


def why_ignored(post: Post, *, bot_user_id: str) -> Ignored | None:
    """Return why the post is no reply, as far as it says so itself; None: it may be one.

    Our own key in ``props`` proves nothing by itself: a member who copies a post's props still
    writes a reply. And whether another bot wrote it is for the author's account to say, not for
    ``props.from_bot``, which anybody can set.
    """
    if post.original_id:
        return Ignored.HISTORY_COPY
    if not post.root_id:
        return Ignored.ROOT_POST
    if post.user_id == bot_user_id:
        return Ignored.OWN_POST
    if post.type not in TYPES_OF_PEOPLE:
        return Ignored.SYSTEM_MESSAGE
    if post.props.get("from_webhook") in ("true", True):
        return Ignored.WEBHOOK
    return None


def begins_a_thread(root: Post, *, bot_user_id: str) -> bool:
    """Say whether this post of ours is the root post of a conversation."""
    return root.user_id == bot_user_id and "conversation_id" in mark_of(root)
