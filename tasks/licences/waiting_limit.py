"""Read and set how many messages may wait for one licence; the lanes' script applies the limit."""

from __future__ import annotations

from contextlib import suppress
from typing import cast

from redis import Redis

from ireserve_mattermost.lanes import LIMIT, MAX_WAITING


def read_limit(redis: Redis) -> int:
    """Return the limit; MAX_WAITING if none is set, or if the stored value is no number."""
    with suppress(ValueError):
        return int(cast("bytes | None", redis.get(LIMIT)) or MAX_WAITING)
    return MAX_WAITING


def set_limit(redis: Redis, messages: int | None) -> None:
    """Set the limit; None: back to MAX_WAITING."""
    if messages is None:
        redis.delete(LIMIT)
    else:
        redis.set(LIMIT, messages)
