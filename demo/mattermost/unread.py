"""Count the posts of a channel that a member has not seen."""

from collections.abc import Iterable
from dataclasses import dataclass

from demo.mattermost.entities import ChannelMember, Post
from demo.mattermost.state import State


@dataclass(frozen=True, slots=True)
class Count:
    """Numbers of posts, of root posts, and of those that mention the member."""

    messages: int
    roots: int
    mentions: int
    root_mentions: int
    urgent_mentions: int


def posts_of(state: State, channel_id: str) -> Count:
    """Count all posts of users and bots in a channel that are not deleted."""
    return _count(_live(state, channel_id), user_id="")


def unread_of(state: State, member: ChannelMember) -> Count:
    """Count the posts of others since the member last looked at the channel."""
    new = _live(state, member.channel_id, after=member.seen)
    return _count((p for p in new if p.user_id != member.user_id), user_id=member.user_id)


def _live(state: State, channel_id: str, *, after: int = 0) -> list[Post]:
    ids = state.channel_post_ids.get(channel_id, [])[after:]
    posts = (state.posts[post_id] for post_id in ids)
    return [p for p in posts if not p.delete_at and not p.type.startswith("system_")]


def _count(posts: Iterable[Post], *, user_id: str) -> Count:
    listed = list(posts)
    roots = [post for post in listed if not post.root_id]
    named = [post for post in listed if user_id in post.mentions]
    root_named = [post for post in named if not post.root_id]
    return Count(
        messages=len(listed),
        roots=len(roots),
        mentions=len(named),
        root_mentions=len(root_named),
        urgent_mentions=sum(post.priority == "urgent" for post in root_named),
    )
