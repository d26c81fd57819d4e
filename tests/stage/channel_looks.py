"""Members' replies in a channel, the looks of catch-up at it, and what is in the inbox then."""

from __future__ import annotations

from sqlalchemy import select

from models import Conversation, Reply, ReplyState
from tasks.mattermost import Post
from tasks.replies.catch_up import collect
from tests.stage.stage import LICENCE, Stage
from tests.webhook_calls import replies


def extend_nothing() -> None:
    """Stand in for a lock that needs no extending."""


def look(stage: Stage) -> int:
    """Look at the licence's channels once; return the number of replies taken in."""
    return collect(stage.runtime, LICENCE, on_page=extend_nothing)


def inbox_of(stage: Stage) -> list[Reply]:
    """Return the inbox in the order of arrival."""
    return replies(stage.runtime.database)


def write(stage: Stage, *texts: str) -> list[Post]:
    """Write replies in the conversation's thread as a member."""
    root = stage.conversation().root_post_id or ""
    member = stage.member()
    return [
        member.create_post(channel_id=stage.channel_id, root_id=root, message=text)
        for text in texts
    ]


def in_order(posts: list[Post]) -> list[str]:
    """Return the ids in Mattermost's order, for posts of one millisecond too."""
    return [post.id for post in sorted(posts, key=lambda post: (post.create_at_ms, post.id))]


def record_all(stage: Stage) -> None:
    """Mark all replies as recorded in their current version."""
    posts = {post.id: post.update_at_ms for post in stage.channel_posts()}
    with stage.runtime.database.transaction() as session:
        conversation = session.scalars(select(Conversation)).one()
        for reply in session.scalars(select(Reply)):
            reply.state = ReplyState.RECORDED
            reply.conversation_row = conversation.id
            reply.post_update_at_ms = posts[reply.post_id]
