"""Turn notifications into Mattermost's message attachments."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from ireserve_mattermost.values import is_blank
from tasks.rendering.characters import one_line, shorten
from tasks.rendering.links import web_address
from tasks.rendering.locale import Locale
from tasks.rendering.plain import PlainText, bare_line, plain_link, plain_title, preview_line
from tasks.rendering.splitting import split

# A title of this length takes two or three lines. A longer title is repeated in the body.
_MAX_TITLE_LENGTH = 300
# The longest address still fits into a link with a label of this length.
_MAX_LABEL_LENGTH = 80
# Push and desktop notifications show about two lines.
_MAX_FALLBACK_LENGTH = 300
# Two short fields share a row. A longer value would wrap in its half of the row.
_MAX_SHORT_LENGTH = 40
# Servers since 2024 refuse a request of more than 300,000 bytes. A request holds more than the
# attachment.
MAX_ATTACHMENT_BYTES = 280_000
# A character takes at most four bytes in UTF-8, and two bytes if JSON escapes it.
_BYTES_PER_CHARACTER = 4
# A value that would be cut to less than this gets no row.
_MIN_VALUE_LENGTH = 200
_NOTE_BYTES = 1000
# A paragraph break: a sign in one paragraph has no partner in another.
_GAP = "\n\n"


def render_notification(
    *,
    text: str,
    title: str | None = None,
    fields: Sequence[tuple[str, str]] | None = None,
    color: str | None = None,
    url: str | None = None,
    locale: Locale,
    max_length: int,
) -> dict[str, Any]:
    """Return the notification as a message attachment; leave out what is not given.

    ``text`` and the values of ``fields`` are plain text. Written as Markdown, each has at most
    ``max_length`` code points, and the attachment has at most ``MAX_ATTACHMENT_BYTES``. A text
    that is too long is cut, and ends with the number of characters that were cut.
    """
    title = title if title and not is_blank(title) else ""
    address = web_address(url) if url and title else None
    attachment: dict[str, Any] = {
        "fallback": _fallback(title, text, fields or ()),
        "color": color,
        "title": _title(title, linked=address is not None),
        "title_link": address,
        "text": _body(title, text, None if address else url, locale, max_length=max_length),
    }
    left = MAX_ATTACHMENT_BYTES - _NOTE_BYTES - _size(attachment)
    attachment["fields"] = _fields(fields or (), locale, max_length=max_length, max_bytes=left)
    return {key: value for key, value in attachment.items() if value}


def _title(title: str, *, linked: bool) -> str:
    """Return the title as Mattermost shows it.

    Mattermost shows a title with a link as it is. In a title without a link it parses the Markdown
    and drops it.
    """
    return (bare_line if linked else plain_title)(title, limit=_MAX_TITLE_LENGTH)


def _fallback(title: str, text: str, fields: Sequence[tuple[str, str]]) -> str:
    """Return what push and desktop notifications show: the title, and the text or the fields."""
    body = ", ".join(filter(None, map(_field_text, fields))) if is_blank(text) else text
    parts = [part for part in (title, body) if not is_blank(part)]
    return preview_line(": ".join(parts), limit=_MAX_FALLBACK_LENGTH)


def _field_text(field: tuple[str, str]) -> str:
    return " ".join(part for part in field if not is_blank(part))


def _body(title: str, text: str, url: str | None, locale: Locale, *, max_length: int) -> str:
    """Return the text, with the whole title before it if needed, and an address after it."""
    link = _link(url, locale, max_length=max_length) if url else ""
    room = max_length - len(link) - len(_GAP) if link else max_length
    body = _under(title, text, locale, max_length=room)
    return _GAP.join(filter(None, [body, link]))


def _under(title: str, text: str, locale: Locale, *, max_length: int) -> str:
    """Return the text, after the whole title if the title above is shortened."""
    if len(one_line(title, limit=len(title) + 1)) <= _MAX_TITLE_LENGTH:
        return _cut(text, locale, max_length=max_length)
    head = _cut(title, locale, max_length=max_length // 2)
    body = _cut(text, locale, max_length=max_length - len(head) - len(_GAP))
    return _GAP.join(filter(None, [head, body]))


def _link(url: str, locale: Locale, *, max_length: int) -> str:
    """Return the address as a link of at most half of ``max_length``, or else as text."""
    address, shown = web_address(url), one_line(url, limit=max_length // 2)
    for limit in (len(url), _MAX_TITLE_LENGTH, _MAX_LABEL_LENGTH):
        link = plain_link(shorten(shown, limit=limit), url=address) if address else ""
        if link and len(link) <= max_length // 2:
            return link
    return _cut(url, locale, max_length=max_length // 2)


def _fields(
    fields: Sequence[tuple[str, str]], locale: Locale, *, max_length: int, max_bytes: int
) -> list[dict[str, Any]]:
    shown = [field for field in fields if not is_blank("".join(field))]
    written = list(_fitting(shown, locale, max_length=max_length, max_bytes=max_bytes))
    missing = len(shown) - len(written)
    if missing:
        note = locale.wording.one_more_field if missing == 1 else locale.wording.more_fields
        written.append({"title": "", "value": note.format(count=missing), "short": False})
    return written


def _fitting(
    fields: Sequence[tuple[str, str]], locale: Locale, *, max_length: int, max_bytes: int
) -> Iterator[dict[str, Any]]:
    """Yield the fields that fit into ``max_bytes``; the last field may be cut."""
    for title, value in fields:
        # A title takes room by itself, and again if it is repeated before the value.
        room = max_bytes // _BYTES_PER_CHARACTER - 2 * _MAX_TITLE_LENGTH
        if room < _MIN_VALUE_LENGTH:
            return
        field = _field(title, value, locale, max_length=max_length)
        if _size(field) > max_bytes:
            field = _field(title, value, locale, max_length=min(max_length, room))
        max_bytes -= _size(field)
        yield field


def _field(title: str, value: str, locale: Locale, *, max_length: int) -> dict[str, Any]:
    written = _under(title, value, locale, max_length=max_length)
    return {
        # In the title of a field Mattermost reads emoji codes and hashtags, but no Markdown.
        "title": bare_line(title, limit=_MAX_TITLE_LENGTH),
        "value": written,
        "short": len(one_line(value, limit=_MAX_TITLE_LENGTH)) <= _MAX_SHORT_LENGTH
        and len(title) <= _MAX_TITLE_LENGTH,
    }


def _cut(text: str, locale: Locale, *, max_length: int) -> str:
    """Return the text as Markdown, cut at a sensible place if it is too long."""
    ending = "\n" + locale.wording.more_characters
    budget = max_length - len(ending.format(count=len(text)))
    plain = PlainText.of(text, budget=budget)
    if plain.length(0, len(plain.source)) <= max_length:
        return plain.write(0, len(plain.source))
    end = split(plain, budget=budget)[0].end
    return plain.write(0, end) + ending.format(count=len(plain.source) - end)


def _size(value: dict[str, Any]) -> int:
    written = json.dumps(value, ensure_ascii=False)
    # A server stores 800,000 characters of props with a post. Each of these signs takes six.
    signs = sum(map(written.count, "<>&"))
    return len(written.encode(errors="replace")) + 2 * signs + 1
