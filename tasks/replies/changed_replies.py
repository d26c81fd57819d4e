"""Which of a channel's changed posts are replies to be resolved, for the first time or again."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Conversation, Reply, ReplySource, ReplyState, utc_now
from tasks.mattermost import Post
from tasks.replies.inbox import WAKE_UP_GRACE, receive_all

# When a channel has changed in more than 1,000 ways, so many of its newest replies are asked for by
# id to learn of edits and deletions: more than a team writes in a day.
KNOWN_REPLIES = 10_000


def take_in(
    session: Session, licence_id: str, posts: Sequence[Post], *, not_before_ms: int = 0
) -> list[int]:
    """Write down which posts are to be resolved (again), in their order; return the rows.

    A post from before ``not_before_ms`` that is not known was removed by retention: a reaction to
    it would make a new reply of it.
    """
    roots = _mirrored_roots(session, licence_id, posts)
    # First written and then looked up: after an outage hardly any is known yet, and whether a row
    # is there is for the database to say in any case.
    taken = receive_all(
        session,
        licence_id=licence_id,
        post_ids=[
            post.id
            for post in posts
            if post.root_id in roots
            and not post.delete_at_ms
            and not 0 < post.create_at_ms < not_before_ms
        ],
        source=ReplySource.CATCH_UP,
    )
    rest = {post.id: post for post in posts if post.id not in taken}
    for reply in _known(session, licence_id, list(rest)):
        if _is_news(reply, rest[reply.post_id]):
            _renew(reply)
            taken[reply.post_id] = reply.id
    return [taken[post.id] for post in posts if post.id in taken]


def _known(session: Session, licence_id: str, post_ids: Sequence[str]) -> Sequence[Reply]:
    """Return the rows of those posts that are in the inbox."""
    if not post_ids:
        return []
    rows = select(Reply).where(Reply.licence_id == licence_id, Reply.post_id.in_(post_ids))
    return session.scalars(rows).all()


def _mirrored_roots(session: Session, licence_id: str, posts: Sequence[Post]) -> set[str | None]:
    """Return which of the posts' threads are those of conversations of this licence."""
    roots = select(Conversation.root_post_id).where(
        Conversation.licence_id == licence_id,
        Conversation.root_post_id.in_({post.root_id for post in posts}),
    )
    return set(session.scalars(roots))


def _renew(reply: Reply) -> None:
    """Let the reply be resolved again; its patience begins anew with the change."""
    reply.state = ReplyState.RECEIVED
    reply.received_at = utc_now()
    reply.next_attempt_at = utc_now() + WAKE_UP_GRACE
    reply.attempts = 0


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
