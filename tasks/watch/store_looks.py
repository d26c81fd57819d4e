"""What workers last found when they tried the attachment store, noted in Redis.

A process that asks a store itself may hang for as long as the store does. So a worker looks every
minute, and the others read what it found. A look that was begun and does not end says enough.
"""

from __future__ import annotations

from enum import StrEnum
from typing import cast

from redis import Redis

from ireserve_mattermost.lanes import PREFIX
from tasks.watch.signs import now_ms

STORE = PREFIX + "store"
# A look takes milliseconds, on a remote store a second.
SLOW_MS = 30_000
# Until then no other look is begun beside one that hangs, each of which would keep a thread.
HANGS_MS = 600_000
# Looks are made every minute: after this time none was made, which the sweep shows as well.
OLD_MS = 300_000

_BEGUN, _ENDED, _TAKES_FILES = "begun_ms", "ended_ms", "takes_files"


class PartState(StrEnum):
    """What is known of a part; ``unknown``: no worker has looked lately."""

    OK = "ok"
    DOWN = "down"
    UNKNOWN = "unknown"


def begin_look(redis: Redis) -> bool:
    """Note that a look begins; False: another one is under way."""
    begun_ms, ended_ms, _ = _read(redis)
    now = now_ms(redis)
    if begun_ms > ended_ms and now - begun_ms < HANGS_MS:
        return False
    redis.hset(STORE, _BEGUN, now)
    return True


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
