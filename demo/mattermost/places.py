"""Make teams and channels, and add users. The caller must hold the state's lock."""

from dataclasses import replace

from demo.mattermost import errors
from demo.mattermost.backend import Backend
from demo.mattermost.drafts import Draft
from demo.mattermost.entities import Channel, ChannelMember, Team, TeamMember, User
from demo.mattermost.errors import ApiError
from demo.mattermost.ids import new_id, now_ms
from demo.mattermost.posting import save_post
from demo.mattermost.state import State


def make_team(state: State, *, name: str, display_name: str, creator: User) -> Team:
    """Make a team with its creator as its administrator.

    Raises:
        ApiError: the name is taken.
    """
    if not name or name in state.team_ids_by_name:
        raise ApiError(errors.TEAM_NAME_TAKEN)
    team = Team(new_id(), now_ms(), name, display_name or name, creator.id)
    state.put(team)
    state.put(TeamMember(team.id, creator.id, is_admin=True))
    return team


def make_channel(
    state: State, *, team: Team, name: str, display_name: str, type: str, creator: User
) -> Channel:
    """Make a channel with its creator as a member.

    Raises:
        ApiError: the name is taken, or the type is neither O nor P.
    """
    if not name or (team.id, name) in state.channel_ids_by_name:
        raise ApiError(errors.CHANNEL_NAME_TAKEN)
    if type not in ("O", "P"):
        raise ApiError(errors.INVALID_BODY_PARAM, name="channel")
    now = now_ms()
    shown = display_name or name
    channel = Channel(new_id(), now, now, team.id, name, shown, creator.id, type)
    state.put(channel)
    state.put(ChannelMember(channel.id, creator.id, now))
    return channel


def join_team(state: State, user: User, team_id: str, *, is_admin: bool = False) -> TeamMember:
    """Add the user to the team, if need be; return the membership."""
    member = state.team_members.get((team_id, user.id))
    if member is None or (is_admin and not member.is_admin):
        member = TeamMember(team_id, user.id, is_admin)
        state.put(member)
    return member


def leave_team(state: State, user: User, team_id: str) -> None:
    """Remove the user from the team and from its channels."""
    member = state.team_members.get((team_id, user.id))
    if member is None:
        raise ApiError(errors.NOT_IN_TEAM)
    for channel in [each for each in state.channels.values() if each.team_id == team_id]:
        if place := state.channel_members[channel.id].get(user.id):
            state.put(replace(place, left=True))
    state.put(replace(member, delete_at=now_ms()))


def join_channel(state: State, user: User, channel: Channel) -> ChannelMember:
    """Add the user to the channel, if need be; return the membership.

    Raises:
        ApiError: 404 for a user who is not in the team.
    """
    if not state.is_in_team(user.id, channel.team_id):
        raise ApiError(errors.NOT_IN_TEAM)
    member = state.channel_members[channel.id].get(user.id)
    if member is None:
        member = ChannelMember(channel.id, user.id, now_ms())
        state.put(member)
    return member


def tell_of_join(backend: Backend, *, channel: Channel, user: User, by: User) -> None:
    """Post the system message about a user who joined or was added."""
    if user.id == by.id:
        _tell(backend, channel, by, "system_join_channel", f"{user.username} joined the channel.")
    else:
        text = f"{user.username} added to the channel by {by.username}."
        _tell(backend, channel, by, "system_add_to_channel", text)


def tell_of_leave(backend: Backend, *, channel: Channel, user: User, by: User) -> None:
    """Post the system message about a user who left or was removed."""
    if user.id == by.id:
        _tell(backend, channel, by, "system_leave_channel", f"{user.username} left the channel.")
    else:
        text = f"{user.username} was removed from the channel."
        _tell(backend, channel, by, "system_remove_from_channel", text)


def _tell(backend: Backend, channel: Channel, author: User, type: str, text: str) -> None:
    save_post(backend, author, Draft(channel_id=channel.id, message=text, type=type))
