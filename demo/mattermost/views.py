"""Prepare posts and threads for the page's templates."""

import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup

from demo.mattermost.entities import Channel, FileInfo, Post, User
from demo.mattermost.markup import emoji_of, message_html
from demo.mattermost.options import Options
from demo.mattermost.post_shapes import files_of
from demo.mattermost.state import State

# More threads than a user scrolls through; a benchmark makes hundreds.
MAX_THREADS_SHOWN = 60

_COLOURS = {"good": "#2f9e6e", "warning": "#e0a100", "danger": "#d24b4e"}
_HEX_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_NEUTRAL_COLOUR = "#9aa5b8"
_AVATAR_COLOURS = 8
# The largest size of a shown picture in pixels, which leaves room for the text.
_MAX_PICTURE_WIDTH = 420
_MAX_PICTURE_HEIGHT = 320


# The author's client loses a reaction that comes before it has handled the answer to the post.
# Measured: up to 150 ms always, at 300 ms sometimes, from 400 ms on never.
LOST_REACTION_MS = 400


@dataclass(frozen=True, slots=True)
class Viewer:
    """The user who looks at the page, and since when (ms); a reloaded page shows all."""

    user_id: str
    since: int = 0

    def misses(self, post: Post, reacted_at: int) -> bool:
        """Return whether this page missed the reaction."""
        was_open = post.create_at >= self.since > 0
        is_early = reacted_at - post.create_at < LOST_REACTION_MS
        return was_open and is_early and post.user_id == self.user_id


@dataclass(frozen=True, slots=True)
class Author:
    """The author in the line above a post; `sign` is an emoji instead of a picture."""

    name: str
    username: str
    initial: str
    hue: int
    is_bot: bool
    sign: str = ""


@dataclass(frozen=True, slots=True)
class FileCard:
    """A file under a post; a picture has the size in pixels at which it is shown."""

    id: str
    name: str
    kind: str
    size: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class AttachmentCard:
    """A message attachment."""

    colour: str
    pretext: Markup
    author_name: str
    title: str
    title_link: str
    text: Markup
    fields: list[tuple[str, Markup, bool]]
    footer: str
    buttons: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class PostView:
    """One post on the page."""

    id: str
    author: Author
    time: datetime
    edited: bool
    is_system: bool
    keeps_head: bool
    priority: str
    html: Markup
    attachments: list[AttachmentCard]
    files: list[FileCard]
    reactions: list[tuple[str, str, int]]


@dataclass(frozen=True, slots=True)
class ThreadView:
    """A root and its replies, oldest first."""

    root: PostView
    replies: list[PostView]


def roots_shown(state: State, channel: Channel) -> list[Post]:
    """Return the roots of the most recently changed threads, oldest root first."""
    roots = [p for p in state.channel_posts(channel.id) if not p.root_id and not p.delete_at]
    return sorted(
        sorted(roots, key=lambda root: root.update_at)[-MAX_THREADS_SHOWN:],
        key=lambda root: root.create_at,
    )


def thread_view(state: State, root: Post, options: Options, viewer: Viewer) -> ThreadView:
    """Return the view of the thread under a root."""
    replies = [post_view(state, reply, options, viewer) for reply in state.replies(root.id)]
    return ThreadView(post_view(state, root, options, viewer), replies)


def post_view(state: State, post: Post, options: Options, viewer: Viewer) -> PostView:
    """Return the view of one post."""
    attachments = post.props.get("attachments")
    cards = attachments if isinstance(attachments, list) else []
    user = state.users[post.user_id]
    return PostView(
        id=post.id,
        author=author_of(user, post, options),
        time=datetime.fromtimestamp(post.create_at / 1000, UTC),
        edited=post.edit_at > 0,
        is_system=post.type.startswith("system_"),
        # Consecutive posts of one author share a head, but not these and not a bot's replies.
        keeps_head=_is_webhooks(post) or bool(post.priority) or bool(user.is_bot and post.root_id),
        priority=post.priority or "",
        html=message_html(post.message),
        attachments=[_attachment(card) for card in cards if isinstance(card, dict)],
        files=[_file(info) for info in files_of(state, post)],
        reactions=_reactions(state, post, viewer),
    )


def author_of(user: User, post: Post, options: Options) -> Author:
    """Return the author: full name or user name, or the post's own name if allowed."""
    name = f"{user.first_name} {user.last_name}".strip() or user.username
    sign = ""
    if _is_webhooks(post):
        if options.EnablePostUsernameOverride:
            name = _text(post, "override_username") or name
        if options.EnablePostIconOverride and post.props.get("use_user_icon") != "true":
            emoji = _text(post, "override_icon_emoji").strip(":")
            # Without its own icon, a webhook's post has the sign of webhooks.
            sign = emoji_of(f":{emoji}:") if emoji else "⚓"
    hue = sum((user.id if not sign else name).encode()) % _AVATAR_COLOURS * 360 // _AVATAR_COLOURS
    is_bot = user.is_bot or _is_webhooks(post)
    return Author(name, user.username, name[0].upper(), hue, is_bot, sign)


def _is_webhooks(post: Post) -> bool:
    return post.props.get("from_webhook") == "true"


def _text(post: Post, key: str) -> str:
    value = post.props.get(key)
    return value if isinstance(value, str) else ""


def _reactions(state: State, post: Post, viewer: Viewer) -> list[tuple[str, str, int]]:
    given = state.reactions.get(post.id, {}).values()
    names = Counter(r.emoji_name for r in given if not viewer.misses(post, r.create_at))
    return [(emoji_of(f":{name}:"), name, count) for name, count in names.items()]


def _file(info: FileInfo) -> FileCard:
    kind = (info.extension or "file").upper()
    width, height = _fitted(info.width, info.height)
    return FileCard(info.id, info.name, kind, _size(info.size), width, height)


def _fitted(width: int, height: int) -> tuple[int, int]:
    """Return the size at which to show a picture; 0, 0 for a file that is no picture.

    The page reserves this space before the picture is loaded, so that no content moves.
    """
    if not width or not height:
        return 0, 0
    scale = min(1, _MAX_PICTURE_WIDTH / width, _MAX_PICTURE_HEIGHT / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _size(size_bytes: int) -> str:
    size = float(size_bytes)
    for unit in ("B", "KB", "MB"):
        if size < 1024:
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.1f} GB"


def _attachment(card: dict[str, Any]) -> AttachmentCard:
    text = {key: value for key, value in card.items() if isinstance(value, str)}
    colour = _COLOURS.get(text.get("color", ""), text.get("color", ""))
    link = text.get("title_link", "")
    return AttachmentCard(
        colour=colour if _HEX_COLOUR.fullmatch(colour) else _NEUTRAL_COLOUR,
        pretext=message_html(text.get("pretext", "")),
        author_name=text.get("author_name", ""),
        title=text.get("title", ""),
        title_link=link if link.startswith(("http://", "https://")) else "",
        text=message_html(text.get("text", "")),
        fields=[
            (str(f.get("title", "")), message_html(str(f.get("value", ""))), bool(f.get("short")))
            for f in card.get("fields") or ()
        ],
        footer=text.get("footer", ""),
        buttons=[
            (str(each["id"]), str(each.get("name", ""))) for each in card.get("actions") or ()
        ],
    )
