"""Links that visitors type, and how they are written so that they stay clickable.

An explicit `[label](destination)` is the one form for which Mattermost makes neither a
preview nor an inline image. The label is written by the caller.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import quote

from tasks.rendering.characters import clean

# Browsers and proxies agree on addresses up to about this long.
MAX_URL_LENGTH = 2000

# What ends an address besides whitespace (and the sign for a newline, of which the web client
# makes one): angle brackets and quotes, zero width characters, and the full-width and CJK
# punctuation at which the web client ends one as well.
_ENDS = (
    r'\s\u2424<>"\u200b\u2060\ufeff«»“”‘’\u3001\u3002\u300c-\u3011'
    r"\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff5e"
)
# No link starts in mid-word. None starts after a backslash either: that backslash is written
# as it is (the web client has no escape for a backslash before a word) and would escape the
# link's bracket.
_LINK = re.compile(
    rf"""
      (?<![A-Za-z0-9+\\])https?://[^\W_][^{_ENDS}]*
    | (?<![A-Za-z0-9.@/\\-])(?P<www>www\d{{0,3}}\.[^\W_][^{_ENDS}]*)
    | (?P<mail>
        (?<![\w.+%@/\\-])[\w.+-]{{1,64}}+@
        (?:[^\W_](?:(?!_)[\w-]){{0,62}}\.){{1,8}}[^\W\d_]{{2,63}}(?![\w@-])
      )
    """,
    re.IGNORECASE | re.VERBOSE,
)
_ENTITY = re.compile(r"&(?=#?\w+;)", re.ASCII)
_CLOSING = {")": "(", "]": "[", "}": "{"}
# Punctuation at the end belongs to the sentence, not to the address.
_TRAILING = "?!.,:;*_~'`\\|"


class Link(NamedTuple):
    """A link in a text: where it stands and where it leads."""

    start: int
    end: int
    url: str


def find_links(text: str) -> Iterator[Link]:
    """Yield the web and e-mail addresses in the text, in order.

    Addresses longer than `MAX_URL_LENGTH` are left to be read as text.
    """
    for match in _LINK.finditer(text):
        typed = match[0]
        if len(typed) > MAX_URL_LENGTH:
            continue
        if not match["mail"]:
            typed = _without_trailing_punctuation(typed)
        prefix = "mailto:" if match["mail"] else "http://" if match["www"] else ""
        yield Link(match.start(), match.start() + len(typed), prefix + typed)


def web_address(text: str) -> str | None:
    """Return the text, trimmed, if it is one http(s) address and nothing else; otherwise None."""
    text = clean(text).strip()
    link = next(find_links(text), None)
    whole = link is not None and link.url == text
    return text if whole and text.lower().startswith("http") else None


def destination(url: str) -> str:
    """Return the address as the destination of a Markdown link that leads to it exactly.

    Parentheses and backticks are percent-encoded because the three parsers balance and
    pair them differently; the rest of the set may not stand in an address unencoded anyway.
    An entity (`&copy;`) is written so that it is not decoded.
    """
    encoded = re.sub(r"[()\\`^{|}\[\]\"<>']", lambda match: quote(match[0], safe=""), url)
    return _ENTITY.sub("&amp;", encoded)


def _without_trailing_punctuation(url: str) -> str:
    """Return the address without the punctuation and the unopened brackets at its end."""
    surplus = {close: url.count(close) - url.count(open_) for close, open_ in _CLOSING.items()}
    end = len(url)
    while url[end - 1] in _TRAILING or surplus.get(url[end - 1], 0) > 0:
        if url[end - 1] in surplus:
            surplus[url[end - 1]] -= 1
        end -= 1
    return url[:end]
