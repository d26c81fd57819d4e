"""Read values from decoded JSON, and clean and limit them, or name the field of the wrong type.

A value of another type than the API's is refused. An invalid value of the right type becomes the
nearest harmless value: a NUL, a line break, a number out of range, an invalid id. So no server can
break a row, a path, a header or a log.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import field, fields
from typing import Any, Self, TypeVar

T = TypeVar("T")
# A reader takes the value in the JSON (None: absent or null) and returns the value to keep.
Read = Callable[[Any], Any]

# Mattermost's ids are 26 letters and digits. A name in a URL has dashes, dots and underscores too.
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}")
# `type/subtype` and optionally a charset: other parts of the header have no meaning for a file.
_MEDIA_TYPE = re.compile(
    r"[a-z0-9!#$&^_.+\-]{1,64}/[a-z0-9!#$&^_.+\-]{1,64}(?: *; *charset=[a-z0-9_.:\-]{1,32})?",
    re.IGNORECASE,
)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# The year 2100. A later value is no real time, and may not fit into a column for times.
MAX_MOMENT_MS = 4_102_444_800_000
# The largest number that is exact in every language that reads our JSON; no file is as large.
MAX_SIZE = 2**53
# No number of the server has more digits. Python itself refuses 4,301 digits.
_MAX_DIGITS = 15


class ShapeError(ValueError):
    """The JSON does not have the shape of the call's answer. The message never shows a value."""


class Parsed:
    """A dataclass whose fields say with ``wire`` how to read them from a JSON object."""

    @classmethod
    def parse(cls, data: object) -> Self:
        """Return the object that the decoded JSON describes.

        Raises:
            ShapeError: the JSON has another shape.
        """
        values = fields_of(data)
        return cls(**{each.name: _read(each, values) for each in fields(cls)})  # type: ignore[arg-type]


def wire(read: Read, name: str = "", *, repr: bool = True) -> Any:
    """Return a field that is read from a JSON object's member ``name``, or from its own name."""
    return field(repr=repr, metadata={"read": read, "name": name})


def _read(each: Any, values: Mapping[str, Any]) -> Any:
    name = each.metadata["name"] or each.name
    try:
        return each.metadata["read"](values.get(name))
    except ShapeError as error:
        raise ShapeError(f"{name} {error}") from None


def parse_list(parse: Callable[[object], T]) -> Callable[[object], list[T]]:
    """Return a parser of a JSON array, whose members ``parse`` parses."""

    def parse_each(data: object) -> list[T]:
        if not isinstance(data, list):
            raise ShapeError("not an array")
        return [parse(item) for item in data]

    return parse_each


def fields_of(data: object) -> Mapping[str, Any]:
    """Return the members of a JSON object.

    Raises:
        ShapeError: the JSON is no object.
    """
    if not isinstance(data, dict):
        raise ShapeError("not an object")
    return data


def typed(value: Any, default: T) -> T:
    """Return the value, or the default if the value is absent or null.

    Raises:
        ShapeError: the value is not of the default's type.
    """
    if value is None:
        return default
    # Compare the exact type: for isinstance true is an int, but in JSON it is not a number.
    if type(value) is not type(default):
        raise ShapeError("is of the wrong type")
    return value


def required(read: Read) -> Read:
    """Return a reader like ``read`` that refuses an empty result."""

    def read_required(value: Any) -> Any:
        found = read(value)
        if not found:
            raise ShapeError("is missing")
        return found

    return read_required


def optional_id(value: Any) -> str:
    """Return an id, or "" if the text cannot be an id."""
    text = typed(value, "")
    return text if _ID.fullmatch(text) else ""


def text(limit: int) -> Read:
    """Return a reader of text, cut at ``limit``, without characters that no database stores."""

    def read_text(value: Any) -> str:
        cut = typed(value, "")[:limit].replace("\0", "")
        # JSON can hold half of a surrogate pair, which UTF-8 cannot.
        return cut.encode("utf-8", "replace").decode()

    return read_text


def line(limit: int) -> Read:
    """Return a reader of text of one line, without control characters."""
    read = text(limit)
    return lambda value: _CONTROLS.sub("", read(value))


def media_type(value: Any) -> str:
    """Return a media type, or "" if the text could be anything else in a header."""
    found = typed(value, "").strip()
    return found if _MEDIA_TYPE.fullmatch(found) else ""


def moment_ms(value: Any) -> int:
    """Return a time in Unix milliseconds; 0 stands for never."""
    return min(max(typed(value, 0), 0), MAX_MOMENT_MS)


def size(value: Any) -> int:
    """Return a number of bytes."""
    return min(max(typed(value, 0), 0), MAX_SIZE)


def flag(value: Any) -> bool:
    """Return a switch, which is off if absent."""
    return typed(value, False)


def switch(*, default: bool) -> Read:
    """Return a reader of a switch that the server sends as a string."""
    return lambda value: typed(value, "true" if default else "") == "true"


def count(*, default: int, least: int, most: int) -> Read:
    """Return a reader of a positive number that the server sends as a string."""

    def read_count(value: Any) -> int:
        digits = typed(value, "")
        is_number = digits.isascii() and digits.isdigit() and len(digits) <= _MAX_DIGITS
        number = int(digits) if is_number else 0
        return min(max(number, least), most) if number else default

    return read_count


def array(read: Read, *, limit: int) -> Read:
    """Return a reader of an array's first ``limit`` members, without those that are empty."""

    def read_array(value: Any) -> tuple[Any, ...]:
        return tuple(found for found in map(read, typed(value, [])[:limit]) if found)

    return read_array
