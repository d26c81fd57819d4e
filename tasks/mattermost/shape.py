"""Takes values out of decoded JSON, cleaned and bounded, or says which one has another shape.

A value of another type than the API's is another shape, and a clear no. An odd value of the right
type (a NUL, a line break, a number out of range, an id that is none) costs itself alone: it becomes
the nearest harmless one, so that no server can break a row, a path, a header or a log by it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import field, fields
from typing import Any, Self, TypeVar

T = TypeVar("T")
# From the value in the JSON, None where it is absent or null, to the one that is kept.
Read = Callable[[Any], Any]

# Mattermost's are 26 letters and digits; a name in a URL has dashes, dots and underscores too.
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}")
# `type/subtype` and a charset at most: what else a header may hold has no meaning for a file.
_MEDIA_TYPE = re.compile(
    r"[a-z0-9!#$&^_.+\-]{1,64}/[a-z0-9!#$&^_.+\-]{1,64}(?: *; *charset=[a-z0-9_.:\-]{1,32})?",
    re.IGNORECASE,
)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# 2100: what lies beyond is no time, and may not fit what times are kept in.
MAX_MOMENT_MS = 4_102_444_800_000
# Exact in every language that reads our JSON, and far above any file.
MAX_SIZE = 2**53
# More digits than any of the server's numbers; Python itself refuses 4,301.
_MAX_DIGITS = 15


class ShapeError(ValueError):
    """The JSON is not what this call answers; names the field, never its value."""


class Parsed:
    """A dataclass whose fields say by ``wire`` how they are read from a JSON object."""

    @classmethod
    def parse(cls, data: object) -> Self:
        """Return the value from its JSON.

        Raises:
            ShapeError: it has another shape.
        """
        values = fields_of(data)
        return cls(**{each.name: _read(each, values) for each in fields(cls)})  # type: ignore[arg-type]


def wire(read: Read, name: str = "", *, repr: bool = True) -> Any:
    """Return a field that is read from a JSON object's member ``name``; empty: its own name."""
    return field(repr=repr, metadata={"read": read, "name": name})


def _read(each: Any, values: Mapping[str, Any]) -> Any:
    name = each.metadata["name"] or each.name
    try:
        return each.metadata["read"](values.get(name))
    except ShapeError as error:
        raise ShapeError(f"{name} {error}") from None


def parse_list(parse: Callable[[object], T]) -> Callable[[object], list[T]]:
    """Return a parser of a JSON array from the parser of one of its members."""

    def parse_each(data: object) -> list[T]:
        if not isinstance(data, list):
            raise ShapeError("not an array")
        return [parse(item) for item in data]

    return parse_each


def fields_of(data: object) -> Mapping[str, Any]:
    """Return the members of a JSON object."""
    if not isinstance(data, dict):
        raise ShapeError("not an object")
    return data


def typed(value: Any, default: T) -> T:
    """Return a value of the type of its default, which stands for an absent or null one."""
    if value is None:
        return default
    # The exact type, since true is an int for isinstance and never one on the wire.
    if type(value) is not type(default):
        raise ShapeError("is of the wrong type")
    return value


def required(read: Read) -> Read:
    """Return a reader of what must be there: what it reads must not come out empty."""

    def read_required(value: Any) -> Any:
        found = read(value)
        if not found:
            raise ShapeError("is missing")
        return found

    return read_required


def optional_id(value: Any) -> str:
    """Return an id; empty for one that cannot be an id."""
    text = typed(value, "")
    return text if _ID.fullmatch(text) else ""


def text(limit: int) -> Read:
    """Return a reader of text of several lines, without what no database stores."""

    def read_text(value: Any) -> str:
        cut = typed(value, "")[:limit].replace("\0", "")
        # Half of a surrogate pair, which JSON can hold and nothing else can.
        return cut.encode("utf-8", "replace").decode()

    return read_text


def line(limit: int) -> Read:
    """Return a reader of text of one line, without control characters."""
    read = text(limit)
    return lambda value: _CONTROLS.sub("", read(value))


def media_type(value: Any) -> str:
    """Return a type of content; empty for one that could be anything else in a header."""
    found = typed(value, "").strip()
    return found if _MEDIA_TYPE.fullmatch(found) else ""


def moment_ms(value: Any) -> int:
    """Return a time in Unix milliseconds, 0 for never."""
    return min(max(typed(value, 0), 0), MAX_MOMENT_MS)


def size(value: Any) -> int:
    """Return a number of bytes."""
    return min(max(typed(value, 0), 0), MAX_SIZE)


def flag(value: Any) -> bool:
    """Return a switch, off where absent."""
    return typed(value, False)


def switch(*, default: bool) -> Read:
    """Return a reader of a switch that the server gives as a string."""
    return lambda value: typed(value, "true" if default else "") == "true"


def count(*, default: int, least: int, most: int) -> Read:
    """Return a reader of a positive number that the server gives as a string."""

    def read_count(value: Any) -> int:
        digits = typed(value, "")
        is_number = digits.isascii() and digits.isdigit() and len(digits) <= _MAX_DIGITS
        number = int(digits) if is_number else 0
        return min(max(number, least), most) if number else default

    return read_count


def array(read: Read, *, limit: int) -> Read:
    """Return a reader of an array's first members; what ``read`` leaves empty is left out."""

    def read_array(value: Any) -> tuple[Any, ...]:
        return tuple(found for found in map(read, typed(value, [])[:limit]) if found)

    return read_array
