"""Build the JSON of users, teams, channels and hooks, with the keys of all versions."""

from typing import Any, TypeAlias

from demo.mattermost.entities import (
    Channel,
    ChannelMember,
    Command,
    Hook,
    Team,
    TeamMember,
    Token,
    User,
)
from demo.mattermost.state import State
from demo.mattermost.unread import posts_of, unread_of
from demo.mattermost.versions import ServerVersion

Shape: TypeAlias = dict[str, Any]

_NOTIFY_PROPS = {
    "channel": "true",
    "comments": "never",
    "desktop": "mention",
    "desktop_sound": "true",
    "desktop_threads": "all",
    "email": "true",
    "email_threads": "all",
    "first_name": "false",
    "mention_keys": "",
    "push": "mention",
    "push_status": "online",
    "push_threads": "all",
}
_MEMBER_NOTIFY_PROPS = {
    "channel_auto_follow_threads": "off",
    "desktop": "default",
    "email": "default",
    "ignore_channel_mentions": "default",
    "mark_unread": "all",
    "push": "default",
}
_TIMEZONE = {"automaticTimezone": "", "manualTimezone": "", "useAutomaticTimezone": "true"}


def user_shape(version: ServerVersion, user: User, *, own: bool, email_visible: bool) -> Shape:
    """Return a user's JSON; `own` adds keys, and a hidden e-mail address is empty."""
    shape: Shape = {
        "id": user.id,
        "create_at": user.create_at,
        "update_at": user.update_at,
        "delete_at": user.delete_at,
        "username": user.username,
        "auth_data": "",
        "auth_service": "",
        "email": user.email if own or email_visible else "",
        "nickname": user.nickname,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "position": "",
        "roles": user.roles,
        "locale": "en",
        "timezone": _TIMEZONE,
        "disable_welcome_email": False,
    }
    if own:
        shape["notify_props"] = version.shaped("notify_props", _NOTIFY_PROPS)
        shape["last_password_update"] = user.create_at
    if user.is_bot:
        shape |= {"is_bot": True, "bot_description": user.bot_description}
    else:
        shape["remote_id"] = ""
    return version.shaped("own_user" if own else "user", shape)


def bot_shape(bot: User) -> Shape:
    """Return a bot's JSON, as in the answer of POST /bots."""
    return {
        "user_id": bot.id,
        "create_at": bot.create_at,
        "update_at": bot.update_at,
        "delete_at": bot.delete_at,
        "username": bot.username,
        "display_name": bot.first_name,
        "description": bot.bot_description,
        "owner_id": bot.owner_id,
    }


def token_shape(token: Token) -> Shape:
    """Return a new access token's JSON, the only answer that holds the token."""
    return {
        "id": token.id,
        "token": token.token,
        "user_id": token.user_id,
        "description": token.description,
        "is_active": token.is_active,
    }


def team_shape(team: Team) -> Shape:
    """Return a team's JSON."""
    return {
        "id": team.id,
        "create_at": team.create_at,
        "update_at": team.create_at,
        "delete_at": 0,
        "display_name": team.display_name,
        "name": team.name,
        "description": "",
        "email": "",
        "type": "O",
        "company_name": "",
        "allowed_domains": "",
        "invite_id": "",
        "allow_open_invite": False,
        "scheme_id": None,
        "group_constrained": None,
        "policy_id": None,
    }


def team_member_shape(member: TeamMember) -> Shape:
    """Return the JSON of a user's membership of a team."""
    return {
        "team_id": member.team_id,
        "user_id": member.user_id,
        "roles": "team_user team_admin" if member.is_admin else "team_user",
        "delete_at": member.delete_at,
        "scheme_guest": False,
        "scheme_user": True,
        "scheme_admin": member.is_admin,
        "explicit_roles": "",
    }


def channel_shape(state: State, channel: Channel) -> Shape:
    """Return a channel's JSON."""
    post_ids = state.channel_post_ids.get(channel.id)
    last_post_at = state.posts[post_ids[-1]].create_at if post_ids else channel.create_at
    shape = {
        "id": channel.id,
        "create_at": channel.create_at,
        "update_at": channel.update_at,
        "delete_at": channel.delete_at,
        "team_id": channel.team_id,
        "type": channel.type,
        "display_name": channel.display_name,
        "name": channel.name,
        "header": "",
        "purpose": "",
        "last_post_at": last_post_at,
        "total_msg_count": len(post_ids or ()),
        "extra_update_at": 0,
        "creator_id": channel.creator_id,
        "scheme_id": None,
        "props": None,
        "group_constrained": None,
        "shared": None,
        "total_msg_count_root": 0,
        "policy_id": None,
        "last_root_post_at": last_post_at,
        "autotranslation": False,
        "banner_info": None,
        "default_category_name": "",
        "policy_enforced": False,
        "policy_is_active": False,
    }
    return state.version.shaped("channel", shape)


def member_shape(state: State, member: ChannelMember) -> Shape:
    """Return the JSON of a user's membership of a channel, with the counts of unread posts."""
    new, total = unread_of(state, member), posts_of(state, member.channel_id)
    props = {**_MEMBER_NOTIFY_PROPS, **member.notify_props}
    shape = {
        "channel_id": member.channel_id,
        "user_id": member.user_id,
        "roles": "channel_user",
        "last_viewed_at": member.last_viewed_at,
        "msg_count": total.messages - new.messages,
        "mention_count": new.mentions,
        "mention_count_root": new.root_mentions,
        "urgent_mention_count": new.urgent_mentions,
        "msg_count_root": total.roots - new.roots,
        "notify_props": state.version.shaped("member_notify_props", props),
        "last_update_at": member.last_update_at,
        "scheme_guest": False,
        "scheme_user": True,
        "scheme_admin": False,
        "explicit_roles": "",
        "autotranslation_disabled": False,
    }
    return state.version.shaped("member", shape)


def unread_shape(state: State, member: ChannelMember) -> Shape:
    """Return the JSON of a user's unread counts of a channel."""
    new = unread_of(state, member)
    shape = {
        "team_id": state.channels[member.channel_id].team_id,
        "channel_id": member.channel_id,
        "msg_count": new.messages,
        "mention_count": new.mentions,
        "mention_count_root": new.root_mentions,
        "urgent_mention_count": new.urgent_mentions,
        "msg_count_root": new.roots,
        "notify_props": member_shape(state, member)["notify_props"],
    }
    return state.version.shaped("unread", shape)


def hook_shape(hook: Hook) -> Shape:
    """Return an outgoing webhook's JSON, with its token in clear."""
    return {
        "id": hook.id,
        "token": hook.token,
        "create_at": hook.create_at,
        "update_at": hook.update_at,
        "delete_at": hook.delete_at,
        "creator_id": hook.creator_id,
        "channel_id": hook.channel_id,
        "team_id": hook.team_id,
        "trigger_words": _list_or_null(hook.trigger_words),
        "trigger_when": hook.trigger_when,
        "callback_urls": list(hook.callback_urls),
        "display_name": hook.display_name,
        "description": hook.description,
        "content_type": hook.content_type,
        "username": hook.username,
        "icon_url": hook.icon_url,
    }


def command_shape(command: Command) -> Shape:
    """Return a slash command's JSON, with its token in clear."""
    return {
        "id": command.id,
        "token": command.token,
        "create_at": command.create_at,
        "update_at": command.update_at,
        "delete_at": command.delete_at,
        "creator_id": command.creator_id,
        "team_id": command.team_id,
        "trigger": command.trigger,
        "method": "P",
        "username": "",
        "icon_url": "",
        "auto_complete": False,
        "auto_complete_desc": "",
        "auto_complete_hint": "",
        "display_name": "",
        "description": "",
        "url": command.url,
    }


def _list_or_null(values: tuple[str, ...] | None) -> list[str] | None:
    return None if values is None else list(values)
