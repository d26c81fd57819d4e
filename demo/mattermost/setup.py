"""Make teams, channels, users, bots and hooks in one call, which can be repeated."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from demo.mattermost.accounts import make_bot, make_token, make_user
from demo.mattermost.entities import Channel, Hook, Team, Token, User
from demo.mattermost.ids import new_id, now_ms
from demo.mattermost.places import join_channel, join_team, make_channel, make_team
from demo.mattermost.state import State

Spec: TypeAlias = Mapping[str, Any]

ADMIN_NAME = "admin"


def set_up(state: State, spec: Spec) -> dict[str, Any]:
    """Make or change the objects of the spec; return their ids and tokens by name.

    The spec's keys hold lists: `teams`, `channels`, `users`, `bots`, `hooks`. The server always
    has an administrator. An object whose name exists is changed, never made a second time.

    Raises:
        KeyError: the spec uses a name that does not exist.
    """
    with state.lock:
        admin = _admin(state)
        return {
            "admin": _account(state, admin),
            "teams": {
                team.name: {"id": team.id}
                for team in [_team(state, item, admin) for item in spec.get("teams", ())]
            },
            "channels": {
                item["team"] + "/" + item["name"]: {"id": _channel(state, item, admin).id}
                for item in spec.get("channels", ())
            },
            "users": {
                item["username"]: _account(state, _place(state, _person(state, item), item))
                for item in spec.get("users", ())
            },
            "bots": {
                item["username"]: _account(state, _place(state, _bot(state, item, admin), item))
                for item in spec.get("bots", ())
            },
            "hooks": [
                {"id": hook.id, "token": hook.token}
                for hook in [_hook(state, item, admin) for item in spec.get("hooks", ())]
            ],
        }


def find_channel(state: State, path: str) -> Channel:
    """Return the channel at `team/name`.

    Raises:
        KeyError: the team or channel does not exist.
    """
    team_name, _, name = path.partition("/")
    team_id = state.team_ids_by_name[team_name]
    return state.channels[state.channel_ids_by_name[team_id, name]]


def _admin(state: State) -> User:
    user_id = state.user_ids_by_name.get(ADMIN_NAME)
    if user_id:
        return state.users[user_id]
    roles = "system_admin system_user"
    return make_user(state, username=ADMIN_NAME, email="admin@example.com", roles=roles)


def _account(state: State, user: User) -> dict[str, str]:
    return {"id": user.id, "token": _token(state, user).token}


def _token(state: State, user: User) -> Token:
    for token in state.tokens.values():
        if token.user_id == user.id and token.description == "set-up":
            return token
    return make_token(state, user, "set-up")


def _team(state: State, item: Spec, admin: User) -> Team:
    team_id = state.team_ids_by_name.get(item["name"])
    if team_id:
        return state.teams[team_id]
    return make_team(
        state, name=item["name"], display_name=item.get("display_name", ""), creator=admin
    )


def _channel(state: State, item: Spec, admin: User) -> Channel:
    team = state.teams[state.team_ids_by_name[item["team"]]]
    channel_id = state.channel_ids_by_name.get((team.id, item["name"]))
    if channel_id:
        channel = state.channels[channel_id]
    else:
        channel = make_channel(
            state,
            team=team,
            name=item["name"],
            display_name=item.get("display_name", ""),
            type=item.get("type", "O"),
            creator=admin,
        )
    archived_at = (channel.delete_at or now_ms()) if item.get("archived") else 0
    changed = replace(channel, delete_at=archived_at, type=item.get("type", channel.type))
    if changed != channel:
        state.put(changed)
    return changed


def _person(state: State, item: Spec) -> User:
    return _known_or(
        state,
        item,
        lambda: make_user(
            state,
            username=item["username"],
            email=item.get("email", f"{item['username']}@example.com"),
            password=item.get("password", ""),
        ),
    )


def _bot(state: State, item: Spec, admin: User) -> User:
    return _known_or(
        state, item, lambda: make_bot(state, username=item["username"], owner_id=admin.id)
    )


# The keys of the spec that change a user, with the names of the user's fields.
_CHANGEABLE = {
    "email": "email",
    "first_name": "first_name",
    "last_name": "last_name",
    "nickname": "nickname",
    "roles": "roles",
    "display_name": "first_name",
    "description": "bot_description",
}


def _known_or(state: State, item: Spec, make: Callable[[], User]) -> User:
    user_id = state.user_ids_by_name.get(item["username"])
    user = state.users[user_id] if user_id else make()
    changes = {field: item[key] for key, field in _CHANGEABLE.items() if key in item}
    left_at = 0 if item.get("active", True) else (user.delete_at or now_ms())
    changed = replace(user, delete_at=left_at, **changes)
    if changed != user:
        state.put(replace(changed, update_at=now_ms()))
    return state.users[user.id]


def _place(state: State, user: User, item: Spec) -> User:
    """Add a user to teams and channels, and to the channels' teams."""
    admin_of = item.get("team_admin_of", ())
    for name in (*item.get("teams", ()), *admin_of):
        join_team(state, user, state.team_ids_by_name[name], is_admin=name in admin_of)
    for path in item.get("channels", ()):
        channel = find_channel(state, path)
        join_team(state, user, channel.team_id)
        join_channel(state, user, channel)
    for path in item.get("follows", ()):
        _follow_all(state, user, find_channel(state, path))
    return user


def _follow_all(state: State, user: User, channel: Channel) -> None:
    """Let a user follow every thread of a channel, as a setting of Mattermost does."""
    member = join_channel(state, user, channel)
    props = {**member.notify_props, "channel_auto_follow_threads": "on"}
    if props != member.notify_props:
        state.put(replace(member, notify_props=props))


def _hook(state: State, item: Spec, admin: User) -> Hook:
    channel = find_channel(state, item["channel"]) if "channel" in item else None
    team_id = channel.team_id if channel else state.team_ids_by_name[item["team"]]
    creator = state.user_ids_by_name[item["creator"]] if "creator" in item else admin.id
    wanted = Hook(
        id=new_id(),
        token=item.get("token") or new_id(),
        create_at=now_ms(),
        update_at=now_ms(),
        creator_id=creator,
        team_id=team_id,
        channel_id=channel.id if channel else "",
        trigger_words=tuple(item.get("trigger_words", ())),
        trigger_when=item.get("trigger_when", 0),
        callback_urls=tuple(item["callback_urls"]),
        display_name=item.get("display_name", "Replies"),
        content_type=item.get("content_type", "application/json"),
    )
    for hook in state.hooks.values():
        if not hook.delete_at and _purpose(hook) == _purpose(wanted):
            return hook
    state.put(wanted)
    return wanted


def _purpose(hook: Hook) -> tuple[object, ...]:
    return hook.team_id, hook.channel_id, hook.trigger_words, hook.callback_urls, hook.content_type
