"""The delay from `.delay()` to the post on an idle system, against the naive task."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median, quantiles
from typing import Any

from benchmarks.report import Comparison, Report, Target, alternating
from benchmarks.rig import Rig, rigs, settle
from tests.waiting import wait_until

TARGETS = {"median": Target.at_most(1.15), "p99": Target.at_most(1.3)}
CONVERSATIONS = 20
# So many a round that its 99th percentile is more than its slowest one.
MESSAGES = 200
# What follows the post (our ledger, the broker's acknowledgement) is over before the next one.
PAUSE_S = 0.03


def run(*, rounds: int) -> Report:
    """Return median and 99th percentile on each database; one message at a time is under way."""
    comparisons = []
    for kind, rig in rigs(conversations=CONVERSATIONS):
        comparisons += _compare(rig, kind, rounds=rounds)
    return Report("idle", tuple(comparisons))


def _compare(rig: Rig, kind: str, *, rounds: int) -> list[Comparison]:
    delays: dict[str, list[list[float]]] = {"ours": [], "naive": []}
    makers = {"ours": rig.our_call, "naive": rig.naive_call}
    for side, make in makers.items():
        _measure(rig, make, f"warm-{side}")
    for number, order in enumerate(alternating(rounds)):
        for side in list(delays)[::order]:
            delays[side].append(_measure(rig, makers[side], f"{number}"))
    return [
        Comparison(
            f"{kind}, {name}",
            "ms",
            TARGETS[name],
            tuple(figure(each) for each in delays["ours"]),
            tuple(figure(each) for each in delays["naive"]),
        )
        for name, figure in (("median", median), ("p99", _p99))
    ]


def _p99(values: list[float]) -> float:
    return quantiles(values, n=100)[98]


def _measure(rig: Rig, make: Callable[[int, str], Any], name: str) -> list[float]:
    """Return how long each message took from its call to its arrival at the server, in ms."""
    settle()
    delays = []
    for number in range(MESSAGES):
        rig.stand_in.clear_received()
        task, args, kwargs = make(number % CONVERSATIONS, f"{name}-{number}")
        called_ms = rig.producer.delay(task, *args, **kwargs)
        # A message that changes its root's card is behind another request.
        (post, *_) = wait_until(rig.posts_begun, what="the post")
        delays.append(post.time_ms - called_ms)
        time.sleep(PAUSE_S)
    return delays
