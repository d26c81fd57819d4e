"""Takes values out of decoded JSON, or says which one is not as it should be."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

T = TypeVar("T")


class ShapeError(ValueError):
    """The JSON is not what this call answers; names the field, never its value."""


def parse_list(parse: Callable[[object], T]) -> Callable[[object], list[T]]:
    """A parser of a JSON array from the parser of one of its members."""

    def parse_each(data: object) -> list[T]:
        if not isinstance(data, list):
            raise ShapeError("not an array")
        return [parse(item) for item in data]

    return parse_each


def fields_of(data: object) -> Mapping[str, Any]:
    """The members of a JSON object."""
    if not isinstance(data, dict):
        raise ShapeError("not an object")
    return data


def required(fields: Mapping[str, Any], name: str) -> str:
    """A string that must be there and not be empty."""
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise ShapeError(f"{name} is missing")
    return value


def value_of(fields: Mapping[str, Any], name: str, default: T) -> T:
    """A value of the type of its default, which stands for an absent or null one."""
    value = fields.get(name)
    if value is None:
        return default
    # The exact type, since true is an int for isinstance and never one on the wire.
    if type(value) is not type(default):
        raise ShapeError(f"{name} is of the wrong type")
    return value


def texts_of(fields: Mapping[str, Any], name: str, *, must_exist: bool = False) -> tuple[str, ...]:
    """An array of strings, empty where absent or null."""
    values: list[Any] = value_of(fields, name, [])
    if must_exist and name not in fields:
        raise ShapeError(f"{name} is missing")
    if not all(isinstance(value, str) for value in values):
        raise ShapeError(f"{name} does not hold strings alone")
    return tuple(values)


def count_of(fields: Mapping[str, Any], name: str, default: int) -> int:
    """A positive number that the server gives as a string."""
    value = value_of(fields, name, "")
    return int(value) if value.isascii() and value.isdigit() and int(value) > 0 else default
