"""Which of a channel's changed posts are replies to be resolved, for the first time or again."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Conversation, Reply, ReplySource, ReplyState, utc_now
from tasks.inbox import WAKE_UP_GRACE, receive
from tasks.mattermost import Post

# When a channel has changed in more than 1,000 ways, so many of its newest replies are asked for by
# id to learn of edits and deletions: more than a team writes in a day.
KNOWN_REPLIES = 10_000


def take_in(session: Session, licence_id: str, posts: Sequence[Post]) -> list[int]:
    """Write down which posts are to be resolved (again), in their order; return the rows."""
    roots = _mirrored_roots(session, licence_id, {post.root_id for post in posts})
    known = {
        reply.post_id: reply
        for reply in session.scalars(
            select(Reply).where(
                Reply.licence_id == licence_id, Reply.post_id.in_([post.id for post in posts])
            )
        )
    }
    taken = []
    for post in posts:
        reply = known.get(post.id)
        if reply is not None:
            if _is_news(reply, post):
                reply.state = ReplyState.RECEIVED
                # Its patience begins anew with the change.
                reply.received_at = utc_now()
                reply.next_attempt_at = utc_now() + WAKE_UP_GRACE
                reply.attempts = 0
                taken.append(reply.id)
        elif post.root_id in roots and not post.delete_at_ms:
            row = receive(
                session, licence_id=licence_id, post_id=post.id, source=ReplySource.CATCH_UP
            )
            taken += [row] if row is not None else []
    return taken


def _mirrored_roots(session: Session, licence_id: str, root_ids: set[str]) -> set[str | None]:
    return set(
        session.scalars(
            select(Conversation.root_post_id).where(
                Conversation.licence_id == licence_id, Conversation.root_post_id.in_(root_ids)
            )
        )
    )


def _is_news(reply: Reply, post: Post) -> bool:
    """Say whether the post is a later version than the recorded one.

    A row that is still to be resolved is on its way by itself.
    """
    return (
        reply.state is not ReplyState.RECEIVED
        and max(post.update_at_ms, post.delete_at_ms) > reply.post_update_at_ms
    )


def known_post_ids(session: Session, licence_id: str, channel_id: str) -> list[str]:
    """Return the posts of the channel's newest recorded replies."""
    known = (
        select(Reply.post_id)
        .join(Conversation, Conversation.id == Reply.conversation_row)
        .where(Reply.licence_id == licence_id, Conversation.channel_id == channel_id)
        .where(Reply.state != ReplyState.DELETED)
        .order_by(Reply.posted_at.desc())
        .limit(KNOWN_REPLIES)
    )
    return list(session.scalars(known))
