"""What workers last found when they tried the attachment store, noted in Redis.

A process that asks a store itself may hang for as long as the store does. So a worker looks every
minute, and the others read what it found. A look that was begun and does not end says enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from threading import Lock
from typing import cast

from redis import Redis

from ireserve_mattermost.lanes import PREFIX
from tasks.watch.signs import now_ms

STORE = PREFIX + "store"
# A look takes milliseconds, on a remote store a second.
SLOW_MS = 30_000
# Looks are made every minute: after this time none was made, which the sweep shows as well.
OLD_MS = 300_000

_BEGUN, _ENDED, _TAKES_FILES = "begun_ms", "ended_ms", "takes_files"

# A look that hangs keeps its thread: one of each process, and only for as long as that lives. What
# Redis knows of a look says nothing of its process, which may have been killed meanwhile.
_looking = Lock()


class PartState(StrEnum):
    """What is known of a part; ``unknown``: no worker has looked lately."""

    OK = "ok"
    DOWN = "down"
    UNKNOWN = "unknown"


@contextmanager
def only_look() -> Iterator[bool]:
    """Yield whether no other look of this process is under way; none begins meanwhile."""
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
    """Return what is known of the store."""
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
