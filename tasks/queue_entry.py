"""Checks whether an entry of the queue is a task message that a worker can run.

kombu and Celery decode an entry in several steps, and each step raises other errors. Such an error
would end the worker, or write the whole entry into its log.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Container, Mapping
from typing import Any

from celery.utils.time import maybe_iso8601

# A task that is sent by its name has at most 500,000 characters. Each takes up to 12 bytes in JSON,
# and base64 adds a third.
MAX_BYTES = 16 * 1_024 * 1_024
_ENCODINGS = {"utf-8", "utf8", "us-ascii", "ascii", "binary"}

# What each header must be if it is given. Celery itself does not check the headers.
_HEADERS: Mapping[str, Callable[[Any], bool]] = {
    "id": lambda value: isinstance(value, str) and bool(value),
    "eta": lambda value: _is_moment(value),
    "expires": lambda value: _is_moment(value),
    "retries": lambda value: isinstance(value, int),
    "timelimit": lambda value: isinstance(value, list) and all(map(_is_number, value)),
    "argsrepr": lambda value: isinstance(value, str),
    "kwargsrepr": lambda value: isinstance(value, str),
    "root_id": lambda value: isinstance(value, str),
    "parent_id": lambda value: isinstance(value, str),
    "stamped_headers": lambda value: isinstance(value, list),
    # A small compressed body may unpack to gigabytes, so no compression is accepted.
    "compression": lambda value: False,
}


class UnreadableTaskError(ValueError):
    """The entry is not a task message; the text gives the reason and quotes no content."""


def require_runnable(raw: bytes, tasks: Container[str]) -> None:
    """Require that a worker with these tasks can run the message.

    Raises:
        UnreadableTaskError: the worker cannot run the message.
    """
    if len(raw) > MAX_BYTES:
        raise UnreadableTaskError(f"it has more than {MAX_BYTES} bytes")
    message = _require_object(_parsed(raw), "the message")
    _require_valid_properties(_require_object(message.get("properties"), "properties"))
    headers = _require_object(message.get("headers") or {}, "headers")
    body = _body(message)
    _require_valid_headers(headers if "task" in headers else _require_object(body, "body"), tasks)
    _require_valid_arguments(*(_by_protocol_2(body) if "task" in headers else _by_protocol_1(body)))


def _parsed(raw: bytes | str) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        raise UnreadableTaskError("it is no JSON") from None


def _require_object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UnreadableTaskError(f"{what} must be an object")
    return value


def _require_valid_properties(properties: dict[str, Any]) -> None:
    delivery = _require_object(properties.get("delivery_info"), "delivery_info")
    named = [properties.get("delivery_tag"), delivery.get("exchange"), delivery.get("routing_key")]
    if not all(isinstance(name, str) for name in named):
        raise UnreadableTaskError("delivery_tag, exchange and routing_key must be texts")


def _body(message: dict[str, Any]) -> Any:
    if message.get("content-type") != "application/json":
        raise UnreadableTaskError("its content type is not application/json")
    if str(message.get("content-encoding") or "utf-8").lower() not in _ENCODINGS:
        raise UnreadableTaskError("its content encoding is not utf-8")
    body, encoding = message.get("body"), message["properties"].get("body_encoding")
    if not isinstance(body, str) or encoding not in (None, "base64"):
        raise UnreadableTaskError("its body must be a text, in base64 or plain")
    return _parsed(_decoded(body) if encoding else body)


def _decoded(body: str) -> bytes:
    try:
        return base64.b64decode(body)
    except ValueError:
        raise UnreadableTaskError("its body is no base64") from None


def _require_valid_headers(headers: dict[str, Any], tasks: Container[str]) -> None:
    task = headers.get("task")
    if not isinstance(task, str) or task not in tasks:
        raise UnreadableTaskError("no worker has a task of its name")
    for name, is_right in _HEADERS.items():
        value = headers.get(name)
        # Only the header ``id`` is required.
        if not (is_right(value) if value is not None else name != "id"):
            raise UnreadableTaskError(f"its header {name} cannot be used")


def _is_moment(value: Any) -> bool:
    try:
        return isinstance(value, str) and maybe_iso8601(value) is not None
    except ValueError:
        return False


def _is_number(value: Any) -> bool:
    return value is None or isinstance(value, int | float)


def _by_protocol_2(body: Any) -> tuple[Any, Any, Any]:
    if not isinstance(body, list) or len(body) != 3:
        raise UnreadableTaskError("its body must hold arguments, keywords and what follows")
    return body[0], body[1], body[2]


def _by_protocol_1(body: dict[str, Any]) -> tuple[Any, Any, Any]:
    return body.get("args", []), body.get("kwargs", {}), {}


def _require_valid_arguments(args: Any, kwargs: Any, embed: Any) -> None:
    if not isinstance(args, list) or not isinstance(kwargs, dict):
        raise UnreadableTaskError("its arguments must be a list, its keywords an object")
    if not isinstance(embed, dict | None):
        raise UnreadableTaskError("what follows the task must be an object")
