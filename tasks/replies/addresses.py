"""Find web and e-mail addresses in a text, in which no sign is a mark of Markdown."""

import re
from typing import Final

# An address goes on behind one of these signs only if another character of it follows, as in the
# web client.
_SIGNS: Final = "`!\\[\\]{;:'\\\",?«»“”‘’"
_WIDE: Final = "\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff5e\u3001\u3002\u300c-\u3011"


def _rest(signs: str) -> str:
    return rf"""
    (?: \[[\da-f:]+\]
      | [^\s()<>{_SIGNS}{_WIDE}]
      | [{signs}](?=[^\s()<>])
      | \((?:[^\s()<>]|\([^\s()<>]++\))*+\)
    )++
    """


_URL: Final = re.compile(
    rf"""
    (?: [A-Za-z][A-Za-z\d.+-]*+:(?:/{{1,3}}|[^\W_]|%)
      | www\d{{0,3}}[.]
      | (?:[.-]|[^\W_])+[.][^\W\d_]{{2,4}}/
    ){_rest(_SIGNS + "<>")}
    """,
    re.VERBOSE,
)
_SCHEME: Final = re.compile(r"!?([a-z0-9+.-]+):", re.IGNORECASE)
_SCHEMES: Final = frozenset({"http", "https", "ftp", "mailto", "tel"})
# The client strips these from the end of an address.
_AFTER: Final = "?!.,:*_~'\""
# This finds more addresses than the client does, for example in capital letters or within a word.
# Without its signs each would be another address. Angle brackets are no part of an address.
_ADDRESS: Final = re.compile(
    rf"""
      (?<![A-Za-z0-9])(?:[A-Za-z][A-Za-z0-9+.\-]{{0,30}}+://|(?i:mailto:|tel:|www\d{{0,3}}\.)){_rest(_SIGNS)}
    | (?P<email>(?<![\w.+'\-])[_.+'\-]*+[^\W_][\w.+'\-]*+@[\w\-]+(?:\.[\w\-]+)+)
    """,
    re.VERBOSE,
)


def url_end(text: str, position: int, end: int) -> int | None:
    """Return where an address ends that the web client sees at the position; None: it sees none."""
    scheme = _SCHEME.match(text, position, end)
    if scheme is not None and scheme[1].lower() not in _SCHEMES:
        return None
    match = _URL.match(text, position, end)
    return None if match is None else position + len(match[0].rstrip(_AFTER))


def address_spans(text: str) -> list[tuple[int, int]]:
    """Return where the addresses of a text begin and end."""
    return [span for match in _ADDRESS.finditer(text) if (span := _span(match))[0] < span[1]]


def _span(match: re.Match[str]) -> tuple[int, int]:
    start, text = match.start(), match[0].rstrip(_AFTER)
    if match["email"] and match[0].startswith("_") and match[0].endswith("_"):
        # The underscores around it are marks that make the whole address slanted.
        inside = text.lstrip("_")
        return start + len(text) - len(inside), start + len(text)
    return start, start + len(text)
