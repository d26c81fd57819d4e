"""Read the task messages in a Celery queue without a worker: i-Reserve's queue, or ours."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any, NamedTuple, cast

from redis import Redis


class TaskMessage(NamedTuple):
    """The headers and keyword arguments of one published task message."""

    headers: dict[str, Any]
    keywords: dict[str, Any]


def published(redis_url: str, queue: str) -> list[TaskMessage]:
    """Return the messages in the queue, oldest first."""
    with Redis.from_url(redis_url) as redis:
        newest_first = cast("list[bytes]", redis.lrange(queue, 0, -1))
    return [_loaded(raw) for raw in reversed(newest_first)]


def taken(redis_url: str, queue: str) -> list[TaskMessage]:
    """Remove and return the messages in the queue, oldest first."""
    with Redis.from_url(redis_url) as redis:
        return [_loaded(raw) for raw in iter(lambda: cast("bytes", redis.rpop(queue)), None)]


def _loaded(raw: bytes) -> TaskMessage:
    message = json.loads(raw)
    _, keywords, _ = json.loads(b64decode(message["body"]))
    return TaskMessage(message["headers"], keywords)
