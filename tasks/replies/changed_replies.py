"""Which of a channel's changed posts are replies to be resolved, for the first time or again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.orm import Session

from models import Conversation, Reply, ReplySource, ReplyState, utc_now
from tasks.mattermost import Post
from tasks.replies.inbox import WAKE_UP_GRACE, receive_all
from tasks.replies.meaning import is_later_version

# If a channel has more than 1,000 changes, this many of its newest replies are read by id, to find
# edits and deletions. A team writes fewer in a day.
KNOWN_REPLIES = 10_000


def take_in(
    session: Session,
    licence_id: str,
    posts: Sequence[Post],
    *,
    now_ms: int,
    not_before_ms: int = 0,
) -> list[int]:
    """Write into the inbox which posts are to be resolved (again); return the reply ids in order.

    ``now_ms`` is the server's time. The caller leaves out posts that were deleted with their
    thread. An unknown post from before ``not_before_ms`` is ignored: retention has removed its
    reply, and a later reaction to the post must not record it again.
    """
    roots = _mirrored_roots(session, licence_id, posts)
    # Rows are written first and looked up then: after an outage few posts are known. Besides, only
    # the database can say for certain whether a row exists.
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
        post = rest[reply.post_id]
        is_later = _is_later_than_recorded(reply, post, now_ms=now_ms)
        # This holds also for a row that is still to be resolved. By then its thread may be deleted,
        # and Mattermost no longer says which was deleted first.
        if is_later or post.delete_at_ms:
            reply.is_taken_back = bool(post.delete_at_ms)
        if is_later:
            _reopen(reply)
            taken[reply.post_id] = reply.id
    return [taken[post.id] for post in posts if post.id in taken]


# Built once, since each look at a busy channel runs it.
_VERSIONS = select(Reply.post_id, Reply.state, Reply.post_update_at_ms, Reply.is_taken_back).where(
    Reply.licence_id == bindparam("licence_id"),
    Reply.post_id.in_(bindparam("post_ids", expanding=True)),
)


@dataclass(frozen=True, slots=True)
class _Version:
    """The version of a post that its row holds; the names are those of the columns."""

    state: ReplyState
    post_update_at_ms: int
    is_taken_back: bool


def posts_to_take_in(
    connection: Connection, licence_id: str, posts: Sequence[Post], *, now_ms: int
) -> list[Post]:
    """Return the posts for which ``take_in`` has something to write; this only reads."""
    known = _versions(connection, licence_id, posts)
    unknown = [post for post in posts if post.id not in known]
    wanted = {post.id for post in _replies_among(connection, licence_id, unknown)}
    wanted |= {
        post.id
        for post in posts
        if post.id in known and _is_changed(known[post.id], post, now_ms=now_ms)
    }
    return [post for post in posts if post.id in wanted]


def unknown_replies(connection: Connection, licence_id: str, posts: Sequence[Post]) -> list[Post]:
    """Return the live replies in mirrored threads that are not in the inbox; this only reads."""
    known = _versions(connection, licence_id, posts)
    unknown = [post for post in posts if post.id not in known]
    return _replies_among(connection, licence_id, unknown)


def _versions(
    connection: Connection, licence_id: str, posts: Sequence[Post]
) -> dict[str, _Version]:
    if not posts:
        return {}
    values = {"licence_id": licence_id, "post_ids": [post.id for post in posts]}
    return {
        row.post_id: _Version(row.state, row.post_update_at_ms, row.is_taken_back)
        for row in connection.execute(_VERSIONS, values)
    }


def _replies_among(connection: Connection, licence_id: str, posts: Sequence[Post]) -> list[Post]:
    live = [post for post in posts if not post.delete_at_ms]
    roots = _mirrored_roots(connection, licence_id, live) if live else set()
    return [post for post in live if post.root_id in roots]


def _is_changed(known: _Version, post: Post, *, now_ms: int) -> bool:
    is_newly_deleted = bool(post.delete_at_ms) and not known.is_taken_back
    return is_newly_deleted or _is_later_than_recorded(known, post, now_ms=now_ms)


def _known(session: Session, licence_id: str, post_ids: Sequence[str]) -> Sequence[Reply]:
    """Return the rows of those posts that are in the inbox."""
    if not post_ids:
        return []
    rows = select(Reply).where(Reply.licence_id == licence_id, Reply.post_id.in_(post_ids))
    return session.scalars(rows).all()


def _mirrored_roots(
    session: Session | Connection, licence_id: str, posts: Sequence[Post]
) -> set[str | None]:
    """Return which of the posts' threads are those of conversations of this licence."""
    roots = select(Conversation.root_post_id).where(
        Conversation.licence_id == licence_id,
        Conversation.root_post_id.in_({post.root_id for post in posts}),
    )
    return set(session.scalars(roots))


def _reopen(reply: Reply) -> None:
    """Have the reply resolved again; its time limits begin anew."""
    reply.state = ReplyState.RECEIVED
    reply.received_at = utc_now()
    reply.next_attempt_at = utc_now() + WAKE_UP_GRACE
    reply.attempts = 0
    # A note that this change turns into a reply gets its own pause.
    reply.paused_until = None


def _is_later_than_recorded(reply: Reply | _Version, post: Post, *, now_ms: int) -> bool:
    """Return whether the post is a later version than the recorded one.

    False for a row that is still to be resolved: its post will be read anyway.
    """
    if reply.state is ReplyState.RECEIVED:
        return False
    version_ms = max(post.update_at_ms, post.delete_at_ms)
    return is_later_version(version_ms, reply.post_update_at_ms, now_ms=now_ms)


def known_post_ids(session: Session, licence_id: str, channel_id: str) -> list[str]:
    """Return the post ids of the channel's newest recorded replies."""
    known = (
        select(Reply.post_id)
        .join(Conversation, Conversation.id == Reply.conversation_row)
        .where(Reply.licence_id == licence_id, Conversation.channel_id == channel_id)
        .where(Reply.state != ReplyState.DELETED)
        .order_by(Reply.posted_at.desc())
        .limit(KNOWN_REPLIES)
    )
    return list(session.scalars(known))
