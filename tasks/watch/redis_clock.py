"""The clock of Redis, by which processes on several machines agree on a time."""

from __future__ import annotations

import time

from redis import Redis


def now_ms(redis: Redis) -> int:
    """Return the time by Redis' clock, so that the clocks of processes need not agree."""
    seconds, micros = redis.time()
    return int(seconds) * 1_000 + int(micros) // 1_000


def clock_apart_s(redis: Redis) -> float:
    """Return how many seconds Redis' clock and this process's are apart."""
    return abs(now_ms(redis) / 1_000 - time.time())
