"""Which workers and beats run: each sends a heartbeat to Redis every few seconds."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from enum import StrEnum
from typing import cast

from redis import Redis
from redis.exceptions import RedisError

from ireserve_mattermost.lanes import PREFIX
from tasks.watch.redis_clock import now_ms

PROCESSES = PREFIX + "processes"
# Workers send one every 2 s. Beat sends one with each task, so at least every 5 s.
ALIVE_MS = 30_000

# Times are by Redis' clock. The same step removes the heartbeats of processes that have stopped.
_NOTE = """
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now_ms, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now_ms - ARGV[2])
"""


class ProcessKind(StrEnum):
    """The kinds of process that send heartbeats, and that the metrics count."""

    WORKER = "worker"
    BEAT = "beat"


def note_process(redis: Redis, kind: ProcessKind, name: str) -> None:
    """Store a heartbeat of the process; the process's own log shows when Redis is away."""
    with suppress(RedisError):
        redis.eval(_NOTE, 1, PROCESSES, f"{kind.value}:{name}", ALIVE_MS)


def count_processes(redis: Redis) -> Counter[ProcessKind]:
    """Return how many processes of each kind have sent a heartbeat in the last 30 s."""
    since_ms = now_ms(redis) - ALIVE_MS
    found = cast("list[bytes]", redis.zrangebyscore(PROCESSES, since_ms, "+inf"))
    return Counter(ProcessKind(member.decode().partition(":")[0]) for member in found)


def seen_s_ago(redis: Redis, kind: ProcessKind, name: str) -> float | None:
    """Return how many seconds ago the process sent a heartbeat; None: not within the last 30 s.

    Raises:
        redis.exceptions.RedisError: Redis cannot be asked.
    """
    at_ms = redis.zscore(PROCESSES, f"{kind.value}:{name}")
    ago_ms = ALIVE_MS + 1 if at_ms is None else max(now_ms(redis) - at_ms, 0)
    return ago_ms / 1_000 if ago_ms <= ALIVE_MS else None
