"""How each thing looks in an answer: the JSON of Mattermost 6.7.2, key by key."""

from collections.abc import Iterable
from typing import Any, TypeAlias

from demo.mattermost.entities import (
    Channel,
    ChannelMember,
    FileInfo,
    Hook,
    Post,
    Reaction,
    Team,
    Token,
    User,
)
from demo.mattermost.state import State

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
    "push_status": "away",
    "push_threads": "all",
}
_MEMBER_NOTIFY_PROPS = {
    "desktop": "default",
    "email": "default",
    "ignore_channel_mentions": "default",
    "mark_unread": "all",
    "push": "default",
}
_TIMEZONE = {"automaticTimezone": "", "manualTimezone": "", "useAutomaticTimezone": "true"}


def user_shape(user: User, *, own: bool, email_visible: bool) -> Shape:
    """A user; one's own record tells more, and an address that is hidden is empty."""
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
        shape |= {"notify_props": _NOTIFY_PROPS, "last_password_update": user.create_at}
    if user.is_bot:
        shape |= {"is_bot": True, "bot_description": user.bot_description}
    return shape


def bot_shape(bot: User) -> Shape:
    """A bot as POST /bots answers it."""
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
    """A new access token, the only time that it is told."""
    return {
        "id": token.id,
        "token": token.token,
        "user_id": token.user_id,
        "description": token.description,
        "is_active": token.is_active,
    }


def team_shape(team: Team) -> Shape:
    """A team."""
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


def channel_shape(state: State, channel: Channel) -> Shape:
    """A channel."""
    post_ids = state.channel_post_ids.get(channel.id)
    last_post_at = state.posts[post_ids[-1]].create_at if post_ids else channel.create_at
    return {
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
    }


def member_shape(member: ChannelMember) -> Shape:
    """A user's place in a channel."""
    return {
        "channel_id": member.channel_id,
        "user_id": member.user_id,
        "roles": "channel_user",
        "last_viewed_at": 0,
        "msg_count": 0,
        "mention_count": 0,
        "mention_count_root": 0,
        "msg_count_root": 0,
        "notify_props": _MEMBER_NOTIFY_PROPS,
        "last_update_at": member.last_update_at,
        "scheme_guest": False,
        "scheme_user": True,
        "scheme_admin": False,
        "explicit_roles": "",
    }


def file_shape(info: FileInfo) -> Shape:
    """A file; without a post no post_id, without a picture no size, as Go's omitempty has it."""
    shape: Shape = {"id": info.id, "user_id": info.user_id}
    if info.post_id:
        shape["post_id"] = info.post_id
    shape |= {
        # Version 6.7 leaves the channel of a file empty.
        "channel_id": "",
        "create_at": info.create_at,
        "update_at": info.update_at,
        "delete_at": info.delete_at,
        "name": info.name,
        "extension": info.extension,
        "size": info.size,
        "mime_type": info.mime_type,
    }
    if info.width:
        shape |= {"width": info.width, "height": info.height, "has_preview_image": True}
    return shape | {"mini_preview": None, "remote_id": ""}


def reaction_shape(reaction: Reaction) -> Shape:
    """A reaction."""
    return {
        "user_id": reaction.user_id,
        "post_id": reaction.post_id,
        "emoji_name": reaction.emoji_name,
        "create_at": reaction.create_at,
        "update_at": reaction.create_at,
        "delete_at": 0,
        "remote_id": "",
    }


def hook_shape(hook: Hook) -> Shape:
    """An outgoing webhook, its token in clear."""
    return {
        "id": hook.id,
        "token": hook.token,
        "create_at": hook.create_at,
        "update_at": hook.update_at,
        "delete_at": hook.delete_at,
        "creator_id": hook.creator_id,
        "channel_id": hook.channel_id,
        "team_id": hook.team_id,
        "trigger_words": list(hook.trigger_words),
        "trigger_when": hook.trigger_when,
        "callback_urls": list(hook.callback_urls),
        "display_name": hook.display_name,
        "description": hook.description,
        "content_type": hook.content_type,
        "username": hook.username,
        "icon_url": hook.icon_url,
    }


def files_of(state: State, post: Post) -> list[FileInfo]:
    """The files of a post in the order of their upload."""
    infos = (state.files[file_id] for file_id in post.file_ids)
    return sorted(infos, key=lambda info: info.create_at)


def post_shape(
    state: State, post: Post, *, pending_post_id: str = "", with_reply_count: bool = True
) -> Shape:
    """A post with its metadata; a deleted one is blank."""
    live = post.delete_at == 0
    thread = post.root_id or post.id
    shape: Shape = {
        "id": post.id,
        "create_at": post.create_at,
        "update_at": post.update_at,
        "edit_at": post.edit_at,
        "delete_at": post.delete_at,
        "is_pinned": post.is_pinned,
        "user_id": post.user_id,
        "channel_id": post.channel_id,
        "root_id": post.root_id,
        "original_id": post.original_id,
        "message": post.message if live else "",
        "type": post.type,
        "props": post.props,
        "hashtags": post.hashtags,
    }
    if post.file_ids:
        shape["file_ids"] = list(post.file_ids)
    shape["pending_post_id"] = pending_post_id
    if state.reactions.get(post.id):
        shape["has_reactions"] = True
    return shape | {
        "reply_count": state.reply_counts.get(thread, 0) if with_reply_count else 0,
        "last_reply_at": 0,
        "participants": None,
        "metadata": _metadata(state, post) if live else {},
    }


def _metadata(state: State, post: Post) -> Shape:
    metadata: Shape = {}
    if "attachments" in post.props:
        metadata["embeds"] = [{"type": "message_attachment"}]
    if post.file_ids:
        metadata["files"] = [file_shape(info) for info in files_of(state, post)]
    if reactions := state.reactions.get(post.id):
        metadata["reactions"] = [reaction_shape(reaction) for reaction in reactions.values()]
    return metadata


def post_list_shape(
    state: State,
    order: Iterable[Post],
    *,
    with_reply_count: bool = True,
    next_post_id: str = "",
    prev_post_id: str = "",
    has_next: bool = False,
) -> Shape:
    """A list of posts. `posts` also holds the roots of the replies that `order` names."""
    listed = list(order)
    roots = [state.posts[post.root_id] for post in listed if post.root_id]
    return {
        "order": [post.id for post in listed],
        "posts": {
            post.id: post_shape(state, post, with_reply_count=with_reply_count)
            for post in [*listed, *roots]
        },
        "next_post_id": next_post_id,
        "prev_post_id": prev_post_id,
        "has_next": has_next,
    }
