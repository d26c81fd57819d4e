"""Show senders as the authors of their posts, on servers that let a post override its author.

An override proves nothing, since any member may set it. So this application never reads it back.
"""

from typing import Any

from ireserve_mattermost.values import is_blank
from tasks.rendering.characters import one_line
from tasks.rendering.locale import Locale
from tasks.rendering.posts import ICONS, MAX_NAME_LENGTH, PLACES, Role, nameless

# Mattermost's names for the emoji of the header.
_ICON_NAMES: dict[Role, str] = {
    "visitor": "raising_hand",
    "agent": "headphones",
    "bot": "robot_face",
    "system": "information_source",
}
_NOTE_ICON_NAME = "lock"


def author_props(
    *, sender_name: str, sender_role: Role, locale: Locale, is_internal: bool = False
) -> dict[str, Any]:
    """Return the props of a post with which clients show the sender as its author.

    Lists and notifications do not show the icon. So the name keeps its emoji, and an agent's name
    has " (i-Reserve)" instead. No visitor's name can then look like a member's name.
    """
    return {
        "from_webhook": "true",
        "override_username": author_name(sender_name, role=sender_role, locale=locale),
        "override_icon_emoji": _NOTE_ICON_NAME if is_internal else _ICON_NAMES[sender_role],
    }


def author_name(name: str, *, role: Role, locale: Locale) -> str:
    """Return the author's name for a sender, as plain text: no client reads Markdown in it."""
    shown = nameless(role, locale) if is_blank(name) else one_line(name, limit=MAX_NAME_LENGTH)
    sign = "" if role == "agent" else f"{ICONS[role]} "
    return f"{sign}{shown}{PLACES[role]}"
