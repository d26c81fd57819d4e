"""Measure the delay from `.delay()` to the post on an idle system, against the naive task."""

from __future__ import annotations

import time
from itertools import chain
from statistics import median, quantiles

from benchmarks.report import Comparison, Report, Target, alternating
from benchmarks.rig import Call, Rig, rigs, settle
from tests.waiting import wait_until

TARGETS = {"median": Target.at_most(1.15), "p99": Target.at_most(1.3)}
CONVERSATIONS = 20
# Enough for the 99th percentile: it depends on the slowest fifteen of all rounds.
MESSAGES = 300
# Enough to make the connections, and to prepare the statements.
WARM_UP = 60
# Most messages arrive within this time. An earlier look would take the interpreter from the server.
LOOK_S, AGAIN_S = 0.01, 0.005
# Long enough for the work after a post: our ledger, and the acknowledgement to the broker.
PAUSE_S = 0.01

Delays = dict[str, list[list[float]]]


def run(*, rounds: int) -> Report:
    """Return median and 99th percentile on each database, with one message at a time."""
    comparisons = []
    for kind, rig in rigs(conversations=CONVERSATIONS):
        delays = _measure(rig, rounds=rounds)
        comparisons += [_comparison(kind, name, delays) for name in TARGETS]
    return Report("idle", tuple(comparisons))


def _measure(rig: Rig, *, rounds: int) -> Delays:
    """Return the delay of each message of each round, from the call to the server, in ms.

    The ways take turns after each message, so that other work of the machine affects all alike.
    """
    makers = {"ours": rig.our_call, "naive": rig.naive_call, "bare": rig.bare_call}
    delays: Delays = {side: [] for side in makers}
    for number, order in enumerate([1, *alternating(rounds)]):
        settle()
        took: dict[str, list[float]] = {side: [] for side in makers}
        for message in range(MESSAGES if number else WARM_UP):
            for side in list(makers)[::order]:
                call = makers[side](message % CONVERSATIONS, f"{number}-{message}")
                took[side].append(_delay_ms(rig, call))
        # The first round only warms up.
        for side in makers if number else ():
            delays[side].append(took[side])
    return delays


def _delay_ms(rig: Rig, call: Call) -> float:
    rig.stand_in.clear_received()
    task, args, kwargs = call
    called_ms = rig.producer.delay(task, *args, **kwargs)
    time.sleep(LOOK_S)
    # The first request is the message; a change of the card may follow.
    (post, *_) = wait_until(rig.posts_begun, poll_s=AGAIN_S, what="the post")
    time.sleep(PAUSE_S)
    return post.time_ms - called_ms


def _comparison(kind: str, name: str, delays: Delays) -> Comparison:
    figures = [_figures(name, delays[side]) for side in ("ours", "naive", "bare")]
    return Comparison(f"{kind}, {name}", "ms", TARGETS[name], *figures)


def _figures(name: str, rounds: list[list[float]]) -> tuple[float, ...]:
    """Return each round's median, or the 99th percentile of all rounds' messages together."""
    if name == "median":
        return tuple(median(each) for each in rounds)
    return (quantiles(chain.from_iterable(rounds), n=100)[98],)
