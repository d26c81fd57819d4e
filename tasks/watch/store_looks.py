"""What workers last found when they tried the attachment store, noted in Redis.

A process that tries the store may hang for as long as the store does. So one worker looks every
minute, and other processes read what it noted. A look that has begun and does not end shows that
the store is down.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from threading import Lock
from typing import cast

from redis import Redis

from ireserve_mattermost.lanes import PREFIX
from tasks.watch.redis_clock import now_ms

STORE = PREFIX + "store"
# A look takes milliseconds, or a second for a remote store. After this time the store is down.
SLOW_MS = 30_000
# Looks come every minute. After this time without one, nothing is known of the store.
OLD_MS = 300_000

_BEGUN, _ENDED, _TAKES_FILES = "begun_ms", "ended_ms", "takes_files"

# A look that hangs keeps its thread, so a process has one look at a time. The note in Redis cannot
# ensure this, since its process may have been killed.
_looking = Lock()


class PartState(StrEnum):
    """The state of a part of the installation; ``unknown``: no worker has looked lately."""

    OK = "ok"
    DOWN = "down"
    UNKNOWN = "unknown"


@contextmanager
def only_look() -> Iterator[bool]:
    """Yield whether this is the process's only look; no other look begins meanwhile."""
    is_only = _looking.acquire(blocking=False)
    try:
        yield is_only
    finally:
        if is_only:
            _looking.release()


def begin_look(redis: Redis) -> None:
    """Note that a look begins."""
    redis.hset(STORE, _BEGUN, now_ms(redis))


def end_look(redis: Redis, *, takes_files: bool) -> None:
    """Note what the look has found."""
    found = {_ENDED: now_ms(redis), _TAKES_FILES: int(takes_files)}
    redis.hset(STORE, mapping=found)  # type: ignore[arg-type]


def store_state(redis: Redis) -> PartState:
    """Return the state of the store, from the notes of the last looks."""
    begun_ms, ended_ms, takes_files = _read(redis)
    now = now_ms(redis)
    if begun_ms > ended_ms and now - begun_ms > SLOW_MS:
        return PartState.DOWN
    if now - max(begun_ms, ended_ms) > OLD_MS:
        return PartState.UNKNOWN
    if not ended_ms:
        return PartState.UNKNOWN
    return PartState.OK if takes_files else PartState.DOWN


def _read(redis: Redis) -> tuple[int, int, int]:
    values = cast("list[bytes | None]", redis.hmget(STORE, [_BEGUN, _ENDED, _TAKES_FILES]))
    begun_ms, ended_ms, takes_files = (int(value or 0) for value in values)
    return begun_ms, ended_ms, takes_files
