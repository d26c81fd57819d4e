"""Find the links that visitors type, and write their destinations so that they stay clickable.

An explicit ``[label](destination)`` is the only form for which Mattermost makes neither a
preview nor an inline image. The caller writes the label.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from tasks.rendering.addresses import address_end
from tasks.rendering.characters import clean

# The limit for an address in an argument applies here too. Signed links to files can have more
# than 2,000 characters, and browsers open far longer ones.
MAX_URL_LENGTH = 8000

# No link starts inside a word or after a backslash. The backslash stays as it is, because the web
# client has no escape for a backslash before a word. So it would escape the link's bracket.
#
# The name before an "@" may hold an apostrophe and other signs, as in Mattermost's own pattern.
# A link to a part of such a name would lead to a stranger's mailbox. So the whole address becomes
# a link, or none if it is unclear whether the sign before the name belongs to it. Quotes and marks
# around an address are not a part of it.
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
# Browsers remove these characters anywhere in an address.
_LINE_SPACE = re.compile(r"[\n\t]")
_WORD = re.compile(r"[^\W_]")
_UNSAFE = re.compile(r"[()\\`^{|}\[\]\"<>']")
_UNSAFE_UNPARSED = re.compile(rf"[\\`^{{|}}\"<>]|{_SPACE.pattern}")
# The brackets around an IPv6 host are a part of the address, and are not encoded.
_HOST = re.compile(r"https?://\[[^\]/]*\]", re.IGNORECASE)


class Link(NamedTuple):
    """A link in a text: its place, from ``start`` to before ``end``, and its destination."""

    start: int
    end: int
    url: str


def find_links(text: str) -> Iterator[Link]:
    """Yield the web and e-mail addresses in the text, in order.

    Skip addresses longer than ``MAX_URL_LENGTH``, which stay text.
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
    """Return the trimmed and encoded text if all of it is one http(s) address; otherwise None.

    An argument is not a sentence: brackets and full stops at its end are a part of the address.
    So are spaces after the host, for example in the name of a file.
    """
    text = _EDGES.sub("", clean(text))
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
    except ValueError:
        return None
    # In the host browsers read a backslash as a slash, and other programs as a part of the name.
    odd = "\\" in parts.netloc or _SPACE.search(parts.netloc) or _LINE_SPACE.search(text)
    if parts.scheme not in {"http", "https"} or odd or not _WORD.search(host):
        return None
    return _encoded(text, _UNSAFE_UNPARSED)


def destination(url: str) -> str:
    """Return the address as the destination of a Markdown link, which leads to exactly this URL.

    Parentheses and backticks are percent-encoded, because the three parsers pair them differently.
    The other unsafe characters must be encoded in any address. An entity (``&copy;``) is written so
    that no parser decodes it.
    """
    host = _HOST.match(url)
    start = host.end() if host else 0
    return url[:start] + _ENTITY.sub("&amp;", _encoded(url[start:], _UNSAFE))


def _mailbox(match: re.Match[str]) -> str:
    # In a mailto address these signs must be encoded, since "?", "&" and "#" begin other parts.
    return quote(match["name"], safe="+!$'*=^{|}~") + match["mail"][len(match["name"]) :]


def _encoded(url: str, unsafe: re.Pattern[str]) -> str:
    return unsafe.sub(lambda match: quote(match[0], safe=""), url)
