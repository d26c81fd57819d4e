"""Notifications as message attachments of Mattermost."""

from collections.abc import Sequence
from typing import Any

from tasks.rendering.characters import one_line
from tasks.rendering.links import web_address
from tasks.rendering.plain import PlainText, bare_line, plain_line
from tasks.rendering.splitting import split

_MAX_TITLE_LENGTH = 300
# Push and desktop notifications show about two lines.
_MAX_FALLBACK_LENGTH = 300
# Two short fields share a row in a column of text; more than this would wrap in it.
_MAX_SHORT_LENGTH = 40


def render_notification(
    *,
    text: str,
    title: str | None = None,
    fields: Sequence[tuple[str, str]] | None = None,
    color: str | None = None,
    url: str | None = None,
    max_length: int,
) -> dict[str, Any]:
    """Return the notification as a message attachment; what is not given is left out.

    Text and field values are plain text, of at most `max_length` code points each when
    written: what is too long is cut, and says so.
    """
    address = web_address(url) if url else None
    attachment = {
        "fallback": _fallback(title, text),
        "color": color,
        "title": _title(title, linked=address is not None),
        "title_link": address,
        "text": _body(text, url if url and not address else None, max_length=max_length),
        "fields": [_field(*field, max_length=max_length) for field in fields or ()],
    }
    return {key: value for key, value in attachment.items() if value}


def _title(title: str | None, *, linked: bool) -> str:
    """Return the title as Mattermost shows it.

    It is shown as it is if it has a link; otherwise its Markdown is parsed, and dropped.
    """
    shown = bare_line if linked else plain_line
    return shown(title or "", limit=_MAX_TITLE_LENGTH)


def _fallback(title: str | None, text: str) -> str:
    return bare_line(f"{title}: {text}" if title else text, limit=_MAX_FALLBACK_LENGTH)


def _body(text: str, address: str | None, *, max_length: int) -> str:
    """Return the text, followed by an address that could not be made a link of the title."""
    return _cut(f"{text}\n{address}" if address else text, max_length=max_length)


def _field(title: str, value: str, *, max_length: int) -> dict[str, Any]:
    return {
        # Mattermost reads no Markdown in the title of a field, but emoji codes and hashtags.
        "title": bare_line(title, limit=_MAX_TITLE_LENGTH),
        "value": _cut(value, max_length=max_length),
        "short": len(one_line(value, limit=_MAX_SHORT_LENGTH + 1)) <= _MAX_SHORT_LENGTH,
    }


def _cut(text: str, *, max_length: int) -> str:
    """Return the text as Markdown, cut at a sensible place if it is too long."""
    ending = "\n… ({} more characters)"
    budget = max_length - len(ending.format(len(text)))
    plain = PlainText.of(text, budget=budget)
    if plain.length(0, len(plain.source)) <= max_length:
        return plain.write(0, len(plain.source))
    end = split(plain, budget=budget)[0].end
    return plain.write(0, end) + ending.format(len(plain.source) - end)
