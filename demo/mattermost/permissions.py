"""Check permissions by Mattermost's default permission scheme."""

from demo.mattermost.entities import Channel, Post, User
from demo.mattermost.state import State


def is_admin(user: User) -> bool:
    """Return whether the user is an administrator of the server."""
    return "system_admin" in user.roles.split()


def may_post(state: State, user: User, channel: Channel) -> bool:
    """Return whether the user may post: as a member, or with one of the two posting roles."""
    roles = user.roles.split()
    return (
        state.is_member(user.id, channel.id)
        or is_admin(user)
        or "system_post_all" in roles
        or ("system_post_all_public" in roles and channel.type == "O")
    )


def may_take_part(state: State, user: User, channel_id: str) -> bool:
    """Return whether the user may upload and react, which needs membership."""
    return state.is_member(user.id, channel_id) or is_admin(user)


def may_read_channel(state: State, user: User, channel_id: str) -> bool:
    """Return whether the user may read lists and files.

    In 6.7 only members may; later versions let the team read public channels.
    """
    if may_take_part(state, user, channel_id):
        return True
    channel = state.channels.get(channel_id)
    is_open = channel is not None and state.version.team_reads_public_channels
    return is_open and may_see_channel(state, user, state.channels[channel_id])


def may_see_channel(state: State, user: User, channel: Channel) -> bool:
    """Return whether the user may see the channel and single posts: its team, if public."""
    in_team = channel.type == "O" and state.is_in_team(user.id, channel.team_id)
    return in_team or may_take_part(state, user, channel.id)


def may_see_post(state: State, user: User, post: Post) -> bool:
    """Return whether GET /posts/{id} returns the post to the user."""
    return may_see_channel(state, user, state.channels[post.channel_id])


def may_change_post(state: State, user: User, post: Post | None) -> bool:
    """Return whether the user may edit or delete: an administrator, or the author if a member."""
    if post is None or post.delete_at:
        return False
    own = post.user_id == user.id and state.is_member(user.id, post.channel_id)
    return own or is_admin(user)


def may_manage_hooks(state: State, user: User, team_id: str) -> bool:
    """Return whether the user administers the team or the server, and so outgoing webhooks."""
    member = state.team_members.get((team_id, user.id))
    return is_admin(user) or (member is not None and member.is_admin)
