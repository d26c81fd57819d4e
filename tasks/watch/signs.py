"""Signs in Redis, by which the doctor sees that the sweep runs and that a webhook arrives."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import cast

from redis import Redis
from redis.exceptions import RedisError

from ireserve_mattermost.lanes import PREFIX

SWEPT = PREFIX + "swept"
SWEEPERS = PREFIX + "sweepers"
# The sweeps of one minute, if one beat runs.
SWEEPERS_KEPT = 12
# How long the note about a webhook for our own post is kept: the doctor's round trip takes seconds.
SEEN_FOR_S = 60


def now_ms(redis: Redis) -> int:
    """Return the time by Redis' clock, so that the clocks of processes need not agree."""
    seconds, micros = redis.time()
    return int(seconds) * 1_000 + int(micros) // 1_000


def clock_apart_s(redis: Redis) -> float:
    """Return how many seconds Redis' clock and this process's are apart."""
    return abs(now_ms(redis) / 1_000 - time.time())


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


def note_own_posts(redis: Redis, post_ids: Sequence[str]) -> None:
    """Note that a webhook told of these posts of our bot, if Redis answers."""
    with suppress(RedisError), redis.pipeline(transaction=False) as pipeline:
        for post_id in post_ids:
            pipeline.set(_seen(post_id), 1, ex=SEEN_FOR_S)
        pipeline.execute()


def has_seen(redis: Redis, post_id: str) -> bool:
    """Return whether a webhook has told of this post of our bot."""
    return bool(redis.exists(_seen(post_id)))


def _seen(post_id: str) -> str:
    return f"{PREFIX}seen:{post_id}"
