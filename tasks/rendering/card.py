"""The root post of a thread as a card: its message, and the line in its attachment.

Lists, notifications and searches show the first line of the message. The attachment holds what
changes most, since no search finds it and no list shows it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from ireserve_mattermost.values import is_blank
from tasks.rendering.characters import clean, one_line, shorten
from tasks.rendering.links import web_address
from tasks.rendering.locale import Locale
from tasks.rendering.plain import plain_line, plain_link, plain_title
from tasks.rendering.posts import name_text

# A list shows about 70 characters of a message. The channel shows about twice as many.
MAX_QUESTION_LENGTH = 150
MAX_FIELD_LENGTH = 80
_MAX_ID_LENGTH = 100
_MAX_LABEL_LENGTH = 40
_MAX_PAGE_LENGTH = 500
# The length of the name, question, id and other lines if each character is written as five.
_MAX_HEAD_LENGTH = 3_000

_GAP = " · "


class CardState(StrEnum):
    """The state of a conversation, as its card shows it."""

    NEW = "new"
    WAITING = "waiting"
    ANSWERED = "answered"
    TAKEN = "taken"
    SNOOZED = "snoozed"
    CLOSED = "closed"


_SIGNS = {
    CardState.NEW: "💬",
    CardState.WAITING: "🟠",
    CardState.ANSWERED: "🟢",
    CardState.TAKEN: "🟢",
    CardState.SNOOZED: "💤",
    CardState.CLOSED: "⚪",
}
_GREY = "#8a94a6"
_COLORS = {
    CardState.NEW: _GREY,
    CardState.WAITING: "#f5a623",
    CardState.ANSWERED: "#3db887",
    CardState.TAKEN: "#3db887",
    CardState.SNOOZED: _GREY,
    CardState.CLOSED: _GREY,
}


@dataclass(frozen=True, slots=True)
class Card:
    """The contents of a root post.

    ``since`` is when the state began. ``waiting_since`` is set if the visitor waits in a state
    other than waiting. ``assignee`` is the name that i-Reserve gave. ``assignee_username`` is the
    name in Mattermost, which makes that member follow the thread. ``mention`` is Markdown, for
    example ``@anna @bert``. ``reply_prefix`` is the prefix that a reply needs to reach the visitor.
    ``is_for_alerts``: no post reaches the visitor. ``is_signed``: the message shows the sign of
    the state, because the bot can edit the message later.
    """

    conversation_id: str
    visitor_name: str
    state: CardState = CardState.NEW
    since: datetime | None = None
    waiting_since: datetime | None = None
    question: str | None = None
    assignee: str | None = None
    assignee_username: str | None = None
    mention: str = ""
    reply_prefix: str = ""
    is_for_alerts: bool = False
    page_url: str | None = None
    page_title: str | None = None
    conversation_url: str | None = None
    started_at: datetime | None = None
    fields: Sequence[tuple[str, str]] = ()
    continues: bool = False
    is_signed: bool = True


def render_card(
    card: Card, *, locale: Locale, max_length: int = 16383
) -> tuple[str, dict[str, Any]]:
    """Return the root post's message, and its attachment."""
    attachment = {"color": _COLORS[card.state], "text": _line(card, locale)}
    return _message(card, locale, max_length=max_length), attachment


def _message(card: Card, locale: Locale, *, max_length: int) -> str:
    """Return the visitor and the question, and on the next line the id, the page and the links.

    A link that does not fit is left out; the page's title still stands.
    """
    name = f"**{name_text(card.visitor_name, role='visitor', locale=locale)}**"
    sign = f"{_SIGNS[card.state]} " if card.is_signed else ""
    lines = [sign + _joined([name, _question(card)])]
    room = max_length - _MAX_HEAD_LENGTH
    places = [_code(card.conversation_id), _page(card, max_length=room)]
    if card.conversation_url and (address := web_address(card.conversation_url)):
        link = plain_link(locale.wording.open_in_ireserve, url=address)
        # Two links of 8,000 characters do not fit into one message.
        places.append(link if len(_joined(places)) + len(link) <= room else "")
    lines.append(_joined(places))
    if card.continues:
        lines.append(f"↪ _{locale.wording.continues}_")
    return "\n".join(lines)


def _line(card: Card, locale: Locale) -> str:
    """Return the attachment's line: the state, i-Reserve's fields, the mode and the mention."""
    question = "" if card.is_signed else _question(card)
    fields = map(_field, card.fields)
    return _joined([_state(card, locale), question, *fields, _mode(card, locale), card.mention])


def _mode(card: Card, locale: Locale) -> str:
    """Return the text that says which posts reach the visitor; empty: all but notes."""
    if card.is_for_alerts:
        return locale.wording.alerts_only
    prefix = plain_line(card.reply_prefix, limit=MAX_FIELD_LENGTH) if card.reply_prefix else ""
    return locale.wording.prefix_wanted.format(prefix=prefix) if prefix else ""


def _state(card: Card, locale: Locale) -> str:
    """Return the text of the state, which begins the line.

    The text is from the wording, so that it cannot begin a list or a heading.
    """
    words = locale.wording
    if card.state is CardState.NEW:
        return _with_moment(words.started, card.started_at, locale) or words.new
    state = " ".join(filter(None, _state_parts(card, locale)))
    return _joined([state, _with_moment(words.waiting_beside, card.waiting_since, locale)])


def _state_parts(card: Card, locale: Locale) -> Iterator[str]:
    """Yield the state, who set it, and when it began."""
    words = locale.wording
    yield {
        CardState.NEW: words.new,
        CardState.WAITING: words.waiting,
        CardState.ANSWERED: words.answered,
        CardState.TAKEN: words.taken,
        CardState.SNOOZED: words.snoozed,
        CardState.CLOSED: words.closed,
    }[card.state]
    if card.state is CardState.WAITING:
        yield _with_moment(words.since, card.since, locale)
        return
    if card.state is not CardState.ANSWERED and (name := _assignee(card)):
        yield words.by.format(name=name)
    yield _with_moment(words.at, card.since, locale)


def _with_moment(text: str, moment: datetime | None, locale: Locale) -> str:
    return text.format(moment=locale.moment(moment)) if moment else ""


def _assignee(card: Card) -> str:
    if card.assignee_username:
        return f"@{card.assignee_username}"
    return plain_line(card.assignee, limit=MAX_FIELD_LENGTH) if card.assignee else ""


def _question(card: Card) -> str:
    return plain_line(card.question, limit=MAX_QUESTION_LENGTH) if card.question else ""


def _field(field: tuple[str, str]) -> str:
    parts = [one_line(part, limit=MAX_FIELD_LENGTH) for part in field]
    # Title and value are escaped together, because the colon can form a sign with the title.
    return plain_line(": ".join(filter(None, parts)), limit=2 * MAX_FIELD_LENGTH + 2)


def _page(card: Card, *, max_length: int) -> str:
    """Return the page as a link, whose label is its title or the last part of its path.

    Without an address, or with one that does not fit, return plain text.
    """
    if not card.page_url or is_blank(card.page_url):
        return plain_title(card.page_title or "", limit=_MAX_LABEL_LENGTH)
    if address := web_address(card.page_url):
        link = plain_link(_label(card, card.page_url), url=address)
        if len(link) <= max_length:
            return link
    return plain_title(card.page_title or card.page_url, limit=_MAX_PAGE_LENGTH)


def _label(card: Card, url: str) -> str:
    if card.page_title and not is_blank(card.page_title):
        return one_line(card.page_title, limit=_MAX_LABEL_LENGTH)
    place = clean(url).strip().partition("://")[2]
    path = place.partition("?")[0].partition("#")[0].rstrip("/")
    return shorten(path.rpartition("/")[2] or place, limit=_MAX_LABEL_LENGTH)


def _code(conversation_id: str) -> str:
    """Return the id as code, in which Mattermost reads neither Markdown nor mentions."""
    if is_blank(conversation_id):
        return " ".join(f"U+{ord(char):04X}" for char in conversation_id[:_MAX_ID_LENGTH])
    line = one_line(conversation_id, limit=_MAX_ID_LENGTH)
    # A backtick ends code, and the web client turns U+2424 into a newline even in code.
    if "`" in line or "\u2424" in line:
        return plain_title(conversation_id, limit=_MAX_ID_LENGTH)
    return f"`{line}`"


def _joined(parts: Sequence[str]) -> str:
    return _GAP.join(part for part in parts if part)
