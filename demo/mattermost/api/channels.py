"""Routes: teams, channels and their members."""

from dataclasses import replace

from flask import Blueprint, Response, request

from demo.mattermost import errors
from demo.mattermost.entities import Channel, ChannelMember, Team, User
from demo.mattermost.errors import ApiError, Refusal
from demo.mattermost.exchange import (
    answer,
    backend,
    current_user,
    json_object,
    require_admin,
    require_id,
    status_ok,
)
from demo.mattermost.ids import now_ms
from demo.mattermost.permissions import is_admin, may_see_channel, may_take_part
from demo.mattermost.places import (
    join_channel,
    join_team,
    leave_team,
    make_channel,
    make_team,
    tell_of_join,
    tell_of_leave,
)
from demo.mattermost.shapes import (
    channel_shape,
    member_shape,
    team_member_shape,
    team_shape,
    unread_shape,
)

blueprint = Blueprint("channels", __name__)

_TEAM_MEMBER_UNKNOWN = Refusal(
    404, "app.team.get_member.missing.app_error", "No team member found for that user ID and team."
)


@blueprint.post("/teams")
def create_team() -> Response:
    """Make a team."""
    admin = require_admin()
    body = json_object("team")
    name, display_name = str(body.get("name", "")), str(body.get("display_name", ""))
    with backend().state.lock:
        team = make_team(backend().state, name=name, display_name=display_name, creator=admin)
    return answer(team_shape(team), 201)


@blueprint.get("/teams/<team_id>")
def get_team(team_id: str) -> Response:
    """Return a team by id, to its members only."""
    user = current_user()
    team = backend().state.teams.get(require_id(team_id, "team_id"))
    if team is None:
        raise ApiError(errors.TEAM_UNKNOWN)
    return answer(team_shape(_visible(team, user)))


@blueprint.get("/teams/name/<name>")
def get_team_by_name(name: str) -> Response:
    """Return a team by the name in its address, to its members only."""
    user = current_user()
    return answer(team_shape(_visible(_team_named(name), user)))


@blueprint.post("/teams/<team_id>/members")
def add_team_member(team_id: str) -> Response:
    """Add a user to a team."""
    require_admin()
    user = _user(json_object("team_member").get("user_id"))
    with backend().state.lock:
        member = join_team(backend().state, user, team_id)
    return answer(team_member_shape(member), 201)


@blueprint.get("/teams/<team_id>/members/<user_id>")
def get_team_membership(team_id: str, user_id: str) -> Response:
    """Return a user's membership of a team, to the team's members only."""
    asking, state = current_user(), backend().state
    if not (is_admin(asking) or state.is_in_team(asking.id, team_id)):
        raise ApiError(errors.PERMISSIONS)
    place = team_id, user_id
    # The server also returns a former member, with the time of leaving.
    member = state.team_members.get(place) or state.former_team_members.get(place)
    if member is None:
        raise ApiError(_TEAM_MEMBER_UNKNOWN)
    return answer(team_member_shape(member))


@blueprint.delete("/teams/<team_id>/members/<user_id>")
def remove_team_member(team_id: str, user_id: str) -> Response:
    """Remove a user from a team and from the team's channels."""
    require_admin()
    with backend().state.lock:
        leave_team(backend().state, _user(user_id), team_id)
    return status_ok()


@blueprint.post("/channels")
def create_channel() -> Response:
    """Make a channel."""
    user = current_user()
    state, body = backend().state, json_object("channel")
    team = state.teams.get(str(body.get("team_id")))
    if team is None or not (is_admin(user) or state.is_in_team(user.id, team.id)):
        raise ApiError(errors.PERMISSIONS)
    with state.lock:
        channel = make_channel(
            state,
            team=team,
            name=str(body.get("name", "")),
            display_name=str(body.get("display_name", "")),
            type=str(body.get("type", "")),
            creator=user,
        )
    return answer(channel_shape(state, channel), 201)


@blueprint.get("/channels/<channel_id>")
def get_channel(channel_id: str) -> Response:
    """Return a channel by id."""
    user, channel = current_user(), _channel(channel_id)
    if not may_see_channel(backend().state, user, channel):
        raise ApiError(errors.PERMISSIONS)
    return answer(channel_shape(backend().state, channel))


@blueprint.delete("/channels/<channel_id>")
def archive_channel(channel_id: str) -> Response:
    """Archive a channel."""
    require_admin()
    with backend().state.lock:
        at = now_ms()
        backend().state.put(replace(_channel(channel_id), delete_at=at, update_at=at))
    return status_ok()


@blueprint.get("/teams/name/<team_name>/channels/name/<name>")
def get_channel_by_name(team_name: str, name: str) -> Response:
    """Return a channel by its address; 404 for a private channel of others."""
    user, team, state = current_user(), _team_named(team_name), backend().state
    channel_id = state.channel_ids_by_name.get((team.id, name.lower()))
    channel = state.channels[channel_id] if channel_id else None
    archived_too = request.args.get("include_deleted") == "true"
    if channel is None or (channel.delete_at and not archived_too):
        raise ApiError(errors.CHANNEL_NAME_UNKNOWN)
    if not may_see_channel(state, user, channel):
        public = channel.type == "O"
        raise ApiError(errors.PERMISSIONS if public else errors.CHANNEL_NAME_UNKNOWN)
    return answer(channel_shape(state, channel))


@blueprint.get("/channels/<channel_id>/members")
def list_members(channel_id: str) -> Response:
    """Return the members of a channel, to users who may see the channel."""
    user, channel, state = current_user(), _channel(channel_id), backend().state
    if not may_see_channel(state, user, channel):
        raise ApiError(errors.PERMISSIONS)
    page, per_page = (request.args.get(n, d, type=int) for n, d in (("page", 0), ("per_page", 60)))
    members = list(state.channel_members[channel.id].values())
    shown = members[page * per_page : (page + 1) * per_page]
    return answer([member_shape(state, member) for member in shown])


@blueprint.get("/channels/<channel_id>/members/<user_id>")
def get_membership(channel_id: str, user_id: str) -> Response:
    """Return a user's membership of a channel; `me` is the caller."""
    asking, state = current_user(), backend().state
    if not may_take_part(state, asking, channel_id):
        raise ApiError(errors.PERMISSIONS)
    member = _member(channel_id, asking.id if user_id == "me" else user_id)
    if member is None:
        raise ApiError(errors.MEMBER_UNKNOWN)
    return answer(member_shape(state, member))


@blueprint.put("/channels/<channel_id>/members/<user_id>/notify_props")
def set_notify_props(channel_id: str, user_id: str) -> Response:
    """Set a member's notifications for a channel, as the member or as an administrator."""
    asking, state = current_user(), backend().state
    member = _member(channel_id, user_id)
    if member is None or (user_id != asking.id and not is_admin(asking)):
        raise ApiError(errors.PERMISSIONS)
    props = {k: v for k, v in json_object("notify_props").items() if isinstance(v, str)}
    with state.lock:
        state.put(replace(member, notify_props={**member.notify_props, **props}))
    return status_ok()


@blueprint.get("/users/<user_id>/channels/<channel_id>/unread")
def get_unread(user_id: str, channel_id: str) -> Response:
    """Return a member's unread counts of a channel; only administrators may ask for others."""
    asking = current_user()
    wanted = asking.id if user_id == "me" else user_id
    member = _member(channel_id, wanted)
    if member is None or (wanted != asking.id and not is_admin(asking)):
        raise ApiError(errors.PERMISSIONS)
    return answer(unread_shape(backend().state, member))


@blueprint.post("/channels/<channel_id>/members")
def add_channel_member(channel_id: str) -> Response:
    """Let the caller join a channel, or let a member of the channel add a user."""
    asking, channel, state = current_user(), _channel(channel_id), backend().state
    user = _user(json_object("channel_member").get("user_id"))
    joins = user.id == asking.id and may_see_channel(state, user, channel)
    if not joins and not may_take_part(state, asking, channel.id):
        raise ApiError(errors.PERMISSIONS)
    with state.lock:
        known = state.is_member(user.id, channel.id)
        member = join_channel(state, user, channel)
        if not known:
            tell_of_join(backend(), channel=channel, user=user, by=asking)
    return answer(member_shape(backend().state, member), 201)


@blueprint.delete("/channels/<channel_id>/members/<user_id>")
def remove_channel_member(channel_id: str, user_id: str) -> Response:
    """Let the caller leave a channel, or let a member of the channel remove a user."""
    asking, channel, state = current_user(), _channel(channel_id), backend().state
    if not may_take_part(state, asking, channel.id):
        raise ApiError(errors.PERMISSIONS)
    user = _user(user_id)
    with state.lock:
        member = state.channel_members[channel.id].get(user.id)
        if member is None:
            raise ApiError(errors.MEMBER_UNKNOWN)
        state.put(replace(member, left=True))
        tell_of_leave(backend(), channel=channel, user=user, by=asking)
    return status_ok()


def _member(channel_id: str, user_id: str) -> ChannelMember | None:
    return backend().state.channel_members.get(channel_id, {}).get(user_id)


def _channel(channel_id: str) -> Channel:
    channel = backend().state.channels.get(require_id(channel_id, "channel_id"))
    if channel is None:
        raise ApiError(errors.CHANNEL_UNKNOWN)
    return channel


def _team_named(name: str) -> Team:
    team_id = backend().state.team_ids_by_name.get(name.lower())
    if team_id is None:
        raise ApiError(errors.TEAM_NAME_UNKNOWN)
    return backend().state.teams[team_id]


def _visible(team: Team, user: User) -> Team:
    if not is_admin(user) and not backend().state.is_in_team(user.id, team.id):
        raise ApiError(errors.PERMISSIONS)
    return team


def _user(user_id: object) -> User:
    user = backend().state.users.get(user_id) if isinstance(user_id, str) else None
    if user is None:
        raise ApiError(errors.USER_UNKNOWN)
    return user
