"""Links that visitors type, and how they are written so that they stay clickable.

An explicit ``[label](destination)`` is the one form for which Mattermost makes neither a
preview nor an inline image. The label is written by the caller.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from tasks.rendering.addresses import address_end
from tasks.rendering.characters import clean

# As long as an address may be that is given as an argument. Signed links to files have 2,000
# characters and more, and browsers open far longer ones.
MAX_URL_LENGTH = 8000

# No link starts in mid-word. None starts after a backslash either: that backslash is written
# as it is (the web client has no escape for a backslash before a word) and would escape the
# link's bracket.
#
# The name before an "@" may hold an apostrophe and other signs, as in Mattermost's own pattern.
# A link to a part of such a name would lead to the mailbox of a stranger: it is linked whole or,
# where the sign before it may or may not belong to it, not at all. Quotes and marks around an
# address are not a part of it.
_LINK = re.compile(
    r"""
      (?<![A-Za-z0-9+\\])https?://(?:\[[0-9a-f:.]{2,45}\]|[^\W_])
    | (?<![A-Za-z0-9.@/\\-])(?P<www>www\d{0,3}\.[^\W_])
    | (?<![\w.+%@/\\!\#$&*=?^`{|}~'’-])['*`~{|.]{0,8}(?P<mail>
        (?P<name>[\w+-](?:[\w+!\#$&'*=?^{|}~-]|\.(?![.@])){0,63})@
        (?:[^\W_](?:(?!_)[\w-]){0,62}\.){1,8}[^\W\d_]{2,63}(?![\w@-])
      )
    """,
    re.IGNORECASE | re.VERBOSE,
)
_ENTITY = re.compile(r"&(?=#?\w+;)", re.ASCII)
_SPACE = re.compile(r"[\s\u200b\u2060\ufeff]")
_EDGES = re.compile(rf"\A{_SPACE.pattern}+|{_SPACE.pattern}+\Z")
# Browsers leave these out of an address, wherever they stand.
_LINE_SPACE = re.compile(r"[\n\t]")
_WORD = re.compile(r"[^\W_]")
_UNSAFE = re.compile(r"[()\\`^{|}\[\]\"<>']")
_UNSAFE_UNPARSED = re.compile(rf"[\\`^{{|}}\"<>]|{_SPACE.pattern}")
# The brackets around a host of IPv6 are a part of the address, and not encoded.
_HOST = re.compile(r"https?://\[[^\]/]*\]", re.IGNORECASE)


class Link(NamedTuple):
    """A link in a text: where it stands and where it leads."""

    start: int
    end: int
    url: str


def find_links(text: str) -> Iterator[Link]:
    """Yield the web and e-mail addresses in the text, in order.

    Addresses longer than ``MAX_URL_LENGTH`` are left to be read as text.
    """
    position = 0
    while match := _LINK.search(text, position):
        if match["mail"]:
            position = match.end()
            yield Link(match.start("mail"), position, f"mailto:{_mailbox(match)}")
            continue
        start, position = match.start(), address_end(text, match.start(), match.end())
        if position - start <= MAX_URL_LENGTH:
            prefix = "http://" if match["www"] else ""
            yield Link(start, position, prefix + text[start:position])


def web_address(text: str) -> str | None:
    """Return the text, trimmed, if it is one http(s) address and nothing else; otherwise None.

    An argument is no sentence: brackets and full stops at its end are a part of it, and so are
    blanks after its host, as in the name of a file.
    """
    text = _EDGES.sub("", clean(text))
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
    except ValueError:
        return None
    # Browsers take a backslash for a slash there, and others for a part of the host's name.
    odd = "\\" in parts.netloc or _SPACE.search(parts.netloc) or _LINE_SPACE.search(text)
    if parts.scheme not in {"http", "https"} or odd or not _WORD.search(host):
        return None
    return _encoded(text, _UNSAFE_UNPARSED)


def destination(url: str) -> str:
    """Return the address as the destination of a Markdown link that leads to it exactly.

    Parentheses and backticks are percent-encoded because the three parsers balance and
    pair them differently; the rest of the set may not stand in an address unencoded anyway.
    An entity (``&copy;``) is written so that it is not decoded.
    """
    host = _HOST.match(url)
    start = host.end() if host else 0
    return url[:start] + _ENTITY.sub("&amp;", _encoded(url[start:], _UNSAFE))


def _mailbox(match: re.Match[str]) -> str:
    # In the address of a mail these three begin something else.
    return quote(match["name"], safe="+!$'*=^{|}~") + match["mail"][len(match["name"]) :]


def _encoded(url: str, unsafe: re.Pattern[str]) -> str:
    return unsafe.sub(lambda match: quote(match[0], safe=""), url)
