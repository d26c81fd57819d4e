"""How many messages may wait for one licence: the lane's script refuses what is over it."""

from __future__ import annotations

from contextlib import suppress
from typing import cast

from redis import Redis

from ireserve_mattermost.lanes import LIMIT, MAX_WAITING


def read_limit(redis: Redis) -> int:
    """Return the number that holds; what is no number there counts as none."""
    with suppress(ValueError):
        return int(cast("bytes | None", redis.get(LIMIT)) or MAX_WAITING)
    return MAX_WAITING


def set_limit(redis: Redis, messages: int | None) -> None:
    """Let this many wait from now on; None: MAX_WAITING."""
    if messages is None:
        redis.delete(LIMIT)
    else:
        redis.set(LIMIT, messages)
