"""Who may do what, as the default permission scheme of Mattermost has it."""

from demo.mattermost.entities import Channel, Post, User
from demo.mattermost.state import State


def is_admin(user: User) -> bool:
    """Whether the user is an administrator of the server."""
    return "system_admin" in user.roles.split()


def may_post(state: State, user: User, channel: Channel) -> bool:
    """Members may post; so may holders of the two posting roles without being members."""
    roles = user.roles.split()
    return (
        state.is_member(user.id, channel.id)
        or is_admin(user)
        or "system_post_all" in roles
        or ("system_post_all_public" in roles and channel.type == "O")
    )


def may_take_part(state: State, user: User, channel_id: str) -> bool:
    """Uploading and reacting need membership."""
    return state.is_member(user.id, channel_id) or is_admin(user)


def may_read_channel(state: State, user: User, channel_id: str) -> bool:
    """Reading lists and files needs membership in 6.7; later the team reads public channels."""
    if may_take_part(state, user, channel_id):
        return True
    channel = state.channels.get(channel_id)
    is_open = channel is not None and state.version.team_reads_public_channels
    return is_open and may_see_channel(state, user, state.channels[channel_id])


def may_see_channel(state: State, user: User, channel: Channel) -> bool:
    """A public channel is open to its whole team, to look at and to read single posts."""
    in_team = channel.type == "O" and state.is_in_team(user.id, channel.team_id)
    return in_team or may_take_part(state, user, channel.id)


def may_see_post(state: State, user: User, post: Post) -> bool:
    """Whether GET /posts/{id} tells the user."""
    return may_see_channel(state, user, state.channels[post.channel_id])


def may_change_post(state: State, user: User, post: Post | None) -> bool:
    """Only the author, while a member, and administrators edit or delete."""
    if post is None or post.delete_at:
        return False
    own = post.user_id == user.id and state.is_member(user.id, post.channel_id)
    return own or is_admin(user)


def may_manage_hooks(state: State, user: User, team_id: str) -> bool:
    """Administrators of the team or of the server manage outgoing webhooks."""
    member = state.team_members.get((team_id, user.id))
    return is_admin(user) or (member is not None and member.is_admin)
