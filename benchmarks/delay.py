"""Measure i-Reserve's call of ``.delay()``, against a plain Celery task on the same broker."""

from __future__ import annotations

import os
import tempfile
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from redis import Redis

from benchmarks.producer import Producer, producing
from benchmarks.report import Comparison, Report, Target, alternating
from demo.redis_server import running_redis

TARGET = Target.at_most(1.15)
CALLS = 1_000
WARM_UP_CALLS = 100
# The number of conversations by setting. In an idle conversation each message wakes a worker. In a
# busy one it waits behind another message, which has woken a worker already.
SETTINGS = {"idle conversation": CALLS + 1, "busy conversation": 1}
MESSAGE = {
    "sender_name": "Jan de Vries",
    "sender_role": "visitor",
    "text": "Is the house by the lake free in the first two weeks of August? We are four.",
}

Took = dict[str, list[list[float]]]


def run(*, rounds: int) -> Report:
    """Return the comparisons; one process enqueues for both sides, and no worker runs."""
    comparisons, notes = [], []
    with (
        tempfile.TemporaryDirectory() as name,
        running_redis(Path(name)) as server,
        producing({**os.environ, "REDIS_URL": server.url}) as producer,
        Redis.from_url(server.url) as redis,
    ):
        for setting, conversations in SETTINGS.items():
            took = _measure(producer, redis, conversations=conversations, rounds=rounds)
            ours, plain = (tuple(median(half) for half in took[side]) for side in took)
            comparisons.append(Comparison(setting, "ms/call", TARGET, ours, plain))
            notes.append(f"{setting}: {_slowest(took)}")
    return Report("delay", tuple(comparisons), tuple(notes))


def _measure(producer: Producer, redis: Redis, *, conversations: int, rounds: int) -> Took:
    took: Took = {"ours": [], "plain": []}
    for side in took:
        _ms_per_call(producer, side, WARM_UP_CALLS, conversations=conversations)
    for order in alternating(rounds):
        for side in list(took)[::order]:
            redis.flushall()
            took[side].append(_ms_per_call(producer, side, CALLS, conversations=conversations))
    return took


def _ms_per_call(producer: Producer, side: str, count: int, *, conversations: int) -> list[float]:
    moments = producer.delay_all([_call(side, n, conversations) for n in range(count + 1)])
    return [after - before for before, after in pairwise(moments)]


def _call(side: str, number: int, conversations: int) -> tuple[str, tuple[Any, ...], Any]:
    where = ("licence-7", f"conversation-{number % conversations}")
    return f"{side}.post_reply", where, {"message_id": f"m-{number}", **MESSAGE}


def _slowest(took: Took) -> str:
    late = {
        side: median(quantiles(half, n=100)[98] for half in halves) for side, halves in took.items()
    }
    return f"99 of 100 calls are over after: ours {late['ours']:.2f} ms, plain {late['plain']:.2f}"
