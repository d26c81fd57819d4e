"""Checks of single values. Each check returns the value in the form that workers use.

A check raises ``WrongValueError`` with the rule. The error never shows the value, which may be
private.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from datetime import datetime, timezone
from typing import Any, Callable, Iterable, Mapping, Sequence
from urllib.parse import urlsplit


class WrongValueError(ValueError):
    """A value breaks a rule. ``where`` is its place in its field, for example ``.0.name``."""

    def __init__(self, rule: str, where: str = "") -> None:
        super().__init__(rule)
        self.rule = rule
        self.where = where


Check = Callable[[Any], Any]

# The maximum length of an id in bytes. Lanes and keys are made of ids, and an index of the ledger
# has room for this length.
ID_LENGTH = 100
# No id that is a whole number is longer. Python refuses to write much longer numbers as text.
_MAX_BITS = 64 * 8
# Characters of other categories that are invisible: Hangul fillers, the blank Braille pattern,
# the grapheme joiner, vowels that are not drawn, and variation selectors.
_FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0") | {
    chr(code) for code in (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
}
_INVISIBLE = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf"})
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_COLOR = re.compile(r"good|warning|danger|#[0-9a-fA-F]{6}")
_EMAIL = re.compile(r"\S+@\S+")


def is_blank(text: str) -> bool:
    """Return whether the text is invisible: only spaces, format characters and fillers."""
    return all(
        unicodedata.category(character) in _INVISIBLE or character in _FILLERS for character in text
    )


def identifier(value: Any) -> str:
    """Check an id; return it as text."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise WrongValueError("must be text or a whole number")
    # ``str()`` of an ``Enum``'s member may give its name; these calls give its value.
    text = _number(int(value)) if isinstance(value, int) else str.__str__(value)
    if not text:
        raise WrongValueError("must not be empty")
    if len(text.encode(errors="replace")) > ID_LENGTH:
        raise WrongValueError(f"must have at most {ID_LENGTH} bytes")
    if _CONTROL.search(text):
        # Control characters are always a mistake, and would break logs and the names of keys.
        raise WrongValueError("must not hold control characters")
    if is_broken(text):
        raise WrongValueError("must not hold half of a character (a lone surrogate)")
    return text


def is_broken(text: str) -> bool:
    """Return whether the text holds half of a character, which UTF-8 cannot write."""
    return _SURROGATE.search(text) is not None


def _number(value: int) -> str:
    if value.bit_length() > _MAX_BITS:
        raise WrongValueError("must be a smaller number")
    return str(value)


def storable_id(value: Any) -> str:
    """Return an id, or a substitute for an invalid id, safe in the names of lanes and keys.

    The substitute begins with the readable part of the id, and differs for different ids.
    """
    try:
        return identifier(value)
    except WrongValueError:
        text = "" if value is None else _readable(value)
        digest = hashlib.sha256(text.encode(errors="replace")).hexdigest()[:16]
        readable = _CONTROL.sub("?", text).encode(errors="replace")[:60].decode(errors="ignore")
        return f"{readable}~{digest}"


def _readable(value: Any) -> str:
    # Python refuses to write a whole number of thousands of digits in decimal.
    return f"{value:#x}" if isinstance(value, int) else str(value)


def text(limit: int) -> Check:
    """Return a check for a text of at most ``limit`` characters."""

    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise WrongValueError("must be text")
        if len(value) > limit:
            raise WrongValueError(f"must have at most {limit} characters")
        return value

    return check


def address(limit: int, *, schemes: Iterable[str] = ()) -> Check:
    """Return a check for an address or a path; with ``schemes`` it must have one of them."""

    def check(value: Any) -> str:
        checked: str = text(limit)(value)
        if schemes and _scheme(checked.strip()) not in schemes:
            raise WrongValueError(
                f"must start with {' or '.join(f'{name}://' for name in schemes)}"
            )
        return checked

    return check


def _scheme(value: str) -> str:
    try:
        return urlsplit(value).scheme
    except ValueError:
        raise WrongValueError("must be a web address") from None


def choice(*words: str) -> Check:
    """Return a check for one of these words."""

    def check(value: Any) -> str:
        if value not in words or not isinstance(value, str):
            raise WrongValueError(f"must be {' or '.join(repr(word) for word in words)}")
        return value

    return check


def flag(value: Any) -> bool:
    """Check a value that is true or false."""
    if not isinstance(value, bool):
        raise WrongValueError("must be true or false")
    return value


def number(most: int) -> Check:
    """Return a check for a whole number from 0 to ``most``."""

    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise WrongValueError("must be a whole number")
        if not 0 <= value <= most:
            raise WrongValueError(f"must be from 0 to {most}")
        return int(value)

    return check


def color(value: Any) -> str:
    """Check a notification's colour."""
    if not isinstance(value, str) or not _COLOR.fullmatch(value):
        raise WrongValueError("must be 'good', 'warning', 'danger' or '#rrggbb'")
    return value


def email(limit: int) -> Check:
    """Return a check for an e-mail address, which returns it in lower case as Mattermost does."""

    def check(value: Any) -> str:
        checked: str = text(limit)(value).strip().lower()
        if not _EMAIL.fullmatch(checked):
            raise WrongValueError("must be an e-mail address")
        return checked

    return check


def moment(value: Any) -> datetime:
    """Check a time (ISO 8601 or a ``datetime``, in UTC if it names no zone); return it in UTC."""
    try:
        parsed = value if isinstance(value, datetime) else _parse_moment(value)
        if parsed.tzinfo is None:
            return parsed.replace(tzinfo=timezone.utc)
        return parsed.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        raise WrongValueError("must be a time in ISO 8601, as 2026-05-01T14:30:00Z") from None


def _parse_moment(value: Any) -> datetime:
    if not isinstance(value, str):
        raise ValueError
    stripped = value.strip()
    # Before Python 3.11 ``fromisoformat`` does not know the letter Z.
    return datetime.fromisoformat(
        f"{stripped[:-1]}+00:00" if stripped[-1:] in {"Z", "z"} else stripped
    )


def pairs(limit: int) -> Check:
    """Return a check for at most ``limit`` fields, which returns them as pairs of texts.

    Fields are a mapping, pairs, or mappings in Mattermost's form, ``{"title": ..., "value": ...}``.
    """

    def check(value: Any) -> tuple[tuple[str, str], ...]:
        if isinstance(value, Mapping):
            found: list[tuple[Any, Any]] = list(value.items())
        elif isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
            found = [_pair(index, item) for index, item in enumerate(value)]
        else:
            raise WrongValueError("must be a mapping of titles to values")
        if len(found) > limit:
            raise WrongValueError(f"must have at most {limit} entries")
        return tuple(
            (_cell(index, "title", title), _cell(index, "value", content))
            for index, (title, content) in enumerate(found)
        )

    return check


def _pair(index: int, item: Any) -> tuple[Any, Any]:
    if isinstance(item, Mapping) and "title" in item and "value" in item:
        return item["title"], item["value"]
    if isinstance(item, Sequence) and not isinstance(item, (str, bytes)) and len(item) == 2:
        return item[0], item[1]
    raise WrongValueError("must be a pair of title and value", f".{index}")


def _cell(index: int, part: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    try:
        if isinstance(value, int):
            return _number(value)
    except WrongValueError as error:
        raise WrongValueError(error.rule, f".{index}.{part}") from None
    if isinstance(value, (str, float)):
        return str(value)
    raise WrongValueError("must be text or a number", f".{index}.{part}")
