"""Collapsed reply threads: who follows a thread, and which replies are unread."""

from dataclasses import dataclass, replace

from demo.mattermost.entities import ChannelMember, Post, ThreadMembership, User
from demo.mattermost.ids import now_ms
from demo.mattermost.mentions import mentioned
from demo.mattermost.state import State


@dataclass(frozen=True, slots=True)
class FollowedThread:
    """A thread with one follower's unread counts."""

    root: Post
    replies: list[Post]
    last_viewed_at: int
    unread_replies: int
    unread_mentions: int

    @property
    def last_reply_at(self) -> int:
        """The time of the newest reply in ms; 0 without replies."""
        return self.replies[-1].create_at if self.replies else 0

    @property
    def is_urgent(self) -> bool:
        """Whether the root has the highest priority."""
        return self.root.priority == "urgent"


def follow_by_reply(state: State, reply: Post) -> None:
    """Let the users whom a new reply concerns follow. The caller must hold the state's lock.

    These are the authors of the reply and the root, the users whom either text mentions, and
    members who follow every thread of the channel. A member who has unfollowed the thread follows
    it again only as the reply's author or if the reply mentions them.
    """
    root = state.posts.get(reply.root_id)
    if root is None:
        return
    for user_id in {reply.user_id, *reply.mentions}:
        _follow(state, root.id, user_id, again=True)
    named = mentioned(state, root.channel_id, root.message, root.props)
    for user_id in {root.user_id, *named, *_followers_of_all(state, reply.channel_id)}:
        _follow(state, root.id, user_id, again=False)
    if not state.users[reply.user_id].is_bot:
        mark_read(state, reply.user_id, root.id, at=reply.create_at)


def view_channel(state: State, user: User, channel_id: str, *, at: int) -> None:
    """Mark all posts of a channel as read, as writing in it and looking at it do."""
    member = state.channel_members.get(channel_id, {}).get(user.id)
    if member is not None:
        seen = len(state.channel_post_ids[channel_id])
        state.put(replace(member, last_viewed_at=at, seen=seen))


def set_following(state: State, user_id: str, post_id: str, *, following: bool) -> None:
    """Follow or unfollow a thread. The server does not check whether the post exists."""
    known = state.thread_memberships[post_id].get(user_id)
    if following or known is None:
        seen = len(state.thread_post_ids[post_id])
        state.put(ThreadMembership(post_id, user_id, following, now_ms(), seen))
    else:
        state.put(replace(known, following=False))


def mark_read(state: State, user_id: str, root_id: str, *, at: int) -> None:
    """Mark a thread as read up to a time, if the user has ever followed it."""
    known = state.thread_memberships[root_id].get(user_id)
    if known is not None:
        replies = (state.posts[post_id] for post_id in state.thread_post_ids[root_id])
        seen = sum(reply.create_at <= at for reply in replies)
        state.put(replace(known, last_viewed_at=at, seen=seen))


def followed_thread(state: State, root: Post, membership: ThreadMembership) -> FollowedThread:
    """Return a thread with this follower's unread counts, without the follower's own replies."""
    replies = sorted(state.replies(root.id), key=lambda reply: reply.create_at)
    later = set(state.thread_post_ids[root.id][membership.seen :])
    new = [r for r in replies if r.id in later and r.user_id != membership.user_id]
    named = sum(membership.user_id in reply.mentions for reply in new)
    return FollowedThread(root, replies, membership.last_viewed_at, len(new), named)


def followed_threads(state: State, user_id: str, team_id: str) -> list[FollowedThread]:
    """Return a user's followed threads of a team that have replies, the newest reply first."""
    memberships = [
        of_root[user_id] for of_root in state.thread_memberships.values() if user_id in of_root
    ]
    threads = [
        followed_thread(state, root, membership)
        for membership in memberships
        if membership.following
        and (root := state.posts.get(membership.post_id)) is not None
        and not root.delete_at
        and state.channels[root.channel_id].team_id == team_id
    ]
    return sorted((t for t in threads if t.replies), key=lambda t: -t.last_reply_at)


def _followers_of_all(state: State, channel_id: str) -> list[str]:
    if not state.version.channels_follow_threads:
        return []
    members = state.channel_members.get(channel_id, {}).values()
    return [m.user_id for m in members if _follows_all(m)]


def _follows_all(member: ChannelMember) -> bool:
    return member.notify_props.get("channel_auto_follow_threads") == "on"


def _follow(state: State, root_id: str, user_id: str, *, again: bool) -> None:
    known = state.thread_memberships[root_id].get(user_id)
    if known is None:
        state.put(ThreadMembership(root_id, user_id, following=True))
    elif again and not known.following:
        state.put(replace(known, following=True))
