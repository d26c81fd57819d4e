"""What in a text is one whole, in which no sign is a mark: web and e-mail addresses."""

import re
from typing import Final

# What the web client takes for the rest of an address. It goes on after these signs only where
# something follows.
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
# What the client strips from the end of an address.
_AFTER: Final = "?!.,:*_~'\""
# Also where the client sees none, for example in capital letters or in the middle of a word, an
# address would be another one without its signs. Angle brackets stand around an address.
_WHOLE: Final = re.compile(
    rf"""
      (?<![A-Za-z0-9])(?:[A-Za-z][A-Za-z0-9+.\-]{{0,30}}+://|(?i:mailto:|tel:|www\d{{0,3}}\.)){_rest(_SIGNS)}
    | (?P<email>(?<![\w.+'\-])[_.+'\-]*+[^\W_][\w.+'\-]*+@[\w\-]+(?:\.[\w\-]+)+)
    """,
    re.VERBOSE,
)


def url_end(text: str, position: int, end: int) -> int | None:
    """Return where the address ends that the web client sees here; None: it sees none."""
    scheme = _SCHEME.match(text, position, end)
    if scheme is not None and scheme[1].lower() not in _SCHEMES:
        return None
    match = _URL.match(text, position, end)
    return None if match is None else position + len(match[0].rstrip(_AFTER))


def wholes(text: str) -> list[tuple[int, int]]:
    """Return where the addresses of a text begin and end."""
    return [span for match in _WHOLE.finditer(text) if (span := _span(match))[0] < span[1]]


def _span(match: re.Match[str]) -> tuple[int, int]:
    start, text = match.start(), match[0].rstrip(_AFTER)
    if match["email"] and match[0].startswith("_") and match[0].endswith("_"):
        # The whole of it is slanted.
        inside = text.lstrip("_")
        return start + len(text) - len(inside), start + len(text)
    return start, start + len(text)
