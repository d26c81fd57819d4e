"""The check for posts that Mattermost has deleted for good, which only a request by id shows."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Conversation, Reply, ReplyState
from tasks.checks.check import Check, passed, warned
from tasks.mattermost import MattermostClient

NAME = "known posts"
# One request: Mattermost takes 1,000 ids at once. The newest posts are checked, because people
# still read those.
MAX_ASKED = 1_000


def known_post_ids(session: Session, licence_id: str) -> tuple[str, ...]:
    """Return the ids of the licence's newest posts: replies, then root posts."""
    replies = (
        select(Reply.post_id)
        .where(Reply.licence_id == licence_id, Reply.state != ReplyState.DELETED)
        .where(Reply.posted_at.is_not(None))
        .order_by(Reply.posted_at.desc())
        .limit(MAX_ASKED // 2)
    )
    roots = (
        select(Conversation.root_post_id)
        .where(Conversation.licence_id == licence_id, Conversation.root_post_id.is_not(None))
        .order_by(Conversation.id.desc())
        .limit(MAX_ASKED // 2)
    )
    return (*session.scalars(replies), *(root for root in session.scalars(roots) if root))


def check_known_posts(client: MattermostClient, post_ids: tuple[str, ...]) -> Check:
    """Check whether Mattermost has the posts; one that was deleted as usual counts as there."""
    found = {post.id for post in client.get_posts_by_ids(post_ids)}
    gone = len(set(post_ids) - found)
    if not gone:
        return passed(NAME, f"Mattermost knows each of the {len(post_ids)} newest")
    return warned(
        NAME,
        f"{gone} of the {len(post_ids)} newest are gone without a trace: deleted for good, or not "
        "for the bot to see any more; what i-Reserve was told of them stays told",
        "Look whether the server keeps posts for a limited time, deletes them by its API, or has "
        "lost them. A thread whose root is gone begins anew with its next message.",
    )
