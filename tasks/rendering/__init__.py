"""Turn texts, names and links into the posts that the team reads. Nothing here does I/O."""

from tasks.rendering.agent import agent_text
from tasks.rendering.authors import author_props
from tasks.rendering.card import Card, CardState, render_card
from tasks.rendering.file_names import safe_file_name
from tasks.rendering.locale import DEFAULT_LOCALE, WORDINGS, Language, Locale
from tasks.rendering.missing_messages import MissingMessages, MissingReason, missing_line
from tasks.rendering.notifications import render_notification
from tasks.rendering.plain import plain_text
from tasks.rendering.posts import (
    file_note,
    render_files_header,
    render_reply,
)

__all__ = [
    "DEFAULT_LOCALE",
    "WORDINGS",
    "Card",
    "CardState",
    "Language",
    "Locale",
    "MissingMessages",
    "MissingReason",
    "agent_text",
    "author_props",
    "file_note",
    "missing_line",
    "plain_text",
    "render_card",
    "render_files_header",
    "render_notification",
    "render_reply",
    "safe_file_name",
]
