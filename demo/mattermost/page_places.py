"""Look up the teams, channels and users that the page's addresses name, and its language."""

from collections.abc import Iterable

from flask import abort

from demo.mattermost.entities import Channel, Team, User
from demo.mattermost.exchange import backend
from demo.mattermost.permissions import is_admin
from demo.mattermost.words import CLIENT_WORDS, ClientWords

CHANNEL_PATH = "/<team_name>/channels/<channel_name>"


def words() -> ClientWords:
    """Return the texts in the server's language."""
    return CLIENT_WORDS[backend().options.DefaultClientLocale]


def all_teams() -> list[tuple[Team, list[Channel]]]:
    """Return the teams, each with its channels by name."""
    state = backend().state
    with state.lock:
        channels = sorted(state.channels.values(), key=lambda channel: channel.display_name)
        return [
            (team, [channel for channel in channels if channel.team_id == team.id])
            for team in state.teams.values()
        ]


def people_of(channel: Channel) -> list[User]:
    """Return the channel's members whom the page offers as the writer."""
    state = backend().state
    with state.lock:
        return _people(state.users[user_id] for user_id in state.channel_members[channel.id])


def members_of(team: Team) -> list[User]:
    """Return the users of a team."""
    state = backend().state
    with state.lock:
        return _people(state.users[user_id] for of, user_id in state.team_members if of == team.id)


def _people(users: Iterable[User]) -> list[User]:
    """Return the users who are neither bots nor deactivated, the administrator last."""
    able = [user for user in users if not user.is_bot and not user.delete_at]
    return sorted(able, key=lambda user: (is_admin(user), user.username))


def find_team(team_name: str) -> Team:
    """Return the team of that name, or answer 404."""
    state = backend().state
    if team_name not in state.team_ids_by_name:
        abort(404)
    return state.teams[state.team_ids_by_name[team_name]]


def find_channel(team_name: str, channel_name: str) -> tuple[Team, Channel]:
    """Return the channel of that name with its team, or answer 404."""
    state = backend().state
    team_id = state.team_ids_by_name.get(team_name, "")
    channel_id = state.channel_ids_by_name.get((team_id, channel_name))
    if channel_id is None:
        abort(404)
    return state.teams[team_id], state.channels[channel_id]
