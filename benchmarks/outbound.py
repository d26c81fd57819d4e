"""Measure messages per second of one worker in bursts, against the naive task."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Sequence

from benchmarks import naive
from benchmarks.report import Comparison, Report, Target, alternating
from benchmarks.rig import OUR_QUEUE, Rig, rigs, settle
from demo.mattermost.received import Received

TARGETS = {"SQLite": Target.at_least(1.0), "PostgreSQL": Target.at_least(0.9)}
CONVERSATIONS = 100
MESSAGES = 10
LONGEST_BURST = 5
# The time that a Mattermost server takes for a post, as the worker sees it.
SERVICE_MS = (1, 20)


def run(*, rounds: int) -> Report:
    """Return the comparison on each database; both workers run in the same rig."""
    comparisons, notes = [], []
    for kind, rig in rigs(conversations=CONVERSATIONS):
        comparison, misplaced = _compare(rig, kind, rounds=rounds)
        comparisons.append(comparison)
        notes.append(
            f"{kind}: out of order in their conversation, of {CONVERSATIONS * MESSAGES}: "
            f"ours {misplaced['ours']}, naive {misplaced['naive']} (per round)"
        )
    return Report("outbound", tuple(comparisons), tuple(notes))


def _compare(rig: Rig, kind: str, *, rounds: int) -> tuple[Comparison, dict[str, list[int]]]:
    rig.stand_in.set_fault("service_time", min_ms=SERVICE_MS[0], max_ms=SERVICE_MS[1], seed=1)
    rates: dict[str, list[float]] = {"ours": [], "naive": []}
    misplaced: dict[str, list[int]] = {"ours": [], "naive": []}
    _measure(rig, "ours", -1)
    _measure(rig, "naive", -1)
    for number, order in enumerate(alternating(rounds)):
        for side in list(rates)[::order]:
            rate, out_of_order = _measure(rig, side, number)
            rates[side].append(rate)
            misplaced[side].append(out_of_order)
    comparison = Comparison(
        kind, "messages/s", TARGETS[kind], tuple(rates["ours"]), tuple(rates["naive"])
    )
    return comparison, misplaced


def _measure(rig: Rig, side: str, round_number: int) -> tuple[float, int]:
    """Enqueue while the worker is paused, then resume it; return posts per second and misplaced."""
    queue = OUR_QUEUE if side == "ours" else naive.QUEUE
    make = rig.our_call if side == "ours" else rig.naive_call
    rig.pause(queue)
    calls = [make(conversation, f"{round_number}-{number}") for conversation, number in _bursts()]
    rig.producer.delay_all(calls)
    rig.stand_in.clear_received()
    began = time.perf_counter()
    rig.resume(queue)
    posts = rig.wait_for(len(calls))
    seconds = time.perf_counter() - began
    settle()
    return len(calls) / seconds, misplaced_among(posts)


def _bursts() -> list[tuple[int, int]]:
    """Return conversation and number of each message, in the order of writing."""
    rng = random.Random(7)
    left = {conversation: iter(range(MESSAGES)) for conversation in range(CONVERSATIONS)}
    written = []
    while left:
        conversation = rng.choice(list(left))
        for _ in range(rng.randint(1, LONGEST_BURST)):
            number = next(left[conversation], None)
            if number is None:
                del left[conversation]
                break
            written.append((conversation, number))
    return written


def misplaced_among(posts: Sequence[Received]) -> int:
    """Return the number of messages that were posted after a later message."""
    numbers: defaultdict[str, list[int]] = defaultdict(list)
    for post in posts:
        assert post.props is not None
        mark = post.props.get("ireserve", post.props)
        numbers[mark["conversation_id"]].append(int(mark["message_id"].rpartition("-")[2]))
    return sum(
        number < max(before[: index + 1])
        for before in numbers.values()
        for index, number in enumerate(before)
    )
