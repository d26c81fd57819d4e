"""When the sweep last ran, and for which database: kept in Redis for doctor and metrics."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

from redis import Redis

from ireserve_mattermost.lanes import PREFIX
from tasks.watch.redis_clock import now_ms

SWEPT = PREFIX + "swept"
SWEEPERS = PREFIX + "sweepers"
# The sweeps of one minute, if one beat runs.
SWEEPERS_KEPT = 12


def note_sweep(redis: Redis) -> None:
    """Note that the sweep runs: so beat is alive, and a worker runs its tasks."""
    redis.set(SWEPT, now_ms(redis))


def note_sweeper(redis: Redis, database: str) -> None:
    """Note which database the sweep has read: another installation may use this Redis too."""
    with redis.pipeline(transaction=False) as pipeline:
        pipeline.lpush(SWEEPERS, database)
        pipeline.ltrim(SWEEPERS, 0, SWEEPERS_KEPT - 1)
        pipeline.execute()


def sweepers(redis: Redis) -> list[str]:
    """Return which databases the last sweeps have read, the newest first."""
    return [name.decode() for name in cast("list[bytes]", redis.lrange(SWEEPERS, 0, -1))]


def last_sweep_at(redis: Redis) -> datetime | None:
    """Return when the sweep last ran, by Redis' clock; None: never, as far as Redis knows."""
    swept_ms = cast("bytes | None", redis.get(SWEPT))
    return None if swept_ms is None else datetime.fromtimestamp(int(swept_ms) / 1_000, UTC)


def last_sweep_s_ago(redis: Redis) -> float | None:
    """Return how long ago the sweep last ran; None: never, as far as Redis knows."""
    swept_at = last_sweep_at(redis)
    return None if swept_at is None else now_ms(redis) / 1_000 - swept_at.timestamp()
