"""Senders as the authors of their posts, where a server allows names of a post's own.

Such a name proves nothing: any member may give a post one, so that none is ever read back.
"""

from typing import Any

from ireserve_mattermost.values import is_blank
from tasks.rendering.characters import one_line
from tasks.rendering.locale import Locale
from tasks.rendering.posts import ICONS, MAX_NAME_LENGTH, PLACES, Role, nameless

# The signs of the header, by the names that Mattermost has for them.
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

    The icon is not shown by lists and notifications. So a name keeps its sign, with which it is
    no member's name, whatever a visitor calls themself; an agent's has the place in its stead.
    """
    return {
        "from_webhook": "true",
        "override_username": author_name(sender_name, role=sender_role, locale=locale),
        "override_icon_emoji": _NOTE_ICON_NAME if is_internal else _ICON_NAMES[sender_role],
    }


def author_name(name: str, *, role: Role, locale: Locale) -> str:
    """Return the name under which a sender posts; no client reads Markdown in it."""
    shown = nameless(role, locale) if is_blank(name) else one_line(name, limit=MAX_NAME_LENGTH)
    sign = "" if role == "agent" else f"{ICONS[role]} "
    return f"{sign}{shown}{PLACES[role]}"
