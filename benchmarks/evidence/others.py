"""Measure what slow, dead and bursting licences cost healthy ones, against the limits."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.report import Comparison, Report, Target
from models import Database
from models.migrations import upgrade
from tests.stage.burdens import (
    BURSTS,
    FIRST_P95_MS,
    LATER_P95_MS,
    SLOW_BURDENS,
    Burden,
    Effect,
    allowed_median_ms,
)

# Each measurement takes half a minute, with its own calm time, and measures 500 messages.
ROUNDS_FOR_EACH = 5


def run(*, rounds: int) -> Report:
    """Return three comparisons for each burden, and notes on the medians against the calm."""
    comparisons, notes = [], []
    for burden in (*SLOW_BURDENS, *BURSTS):
        found = [_measure(burden) for _ in range(rounds // ROUNDS_FOR_EACH)]
        comparisons += _comparisons(burden, found)
        notes += [_note(burden, effect) for effect in found]
    return Report("others", tuple(comparisons), tuple(notes))


def _measure(burden: Burden) -> Effect:
    with tempfile.TemporaryDirectory() as name:
        url = f"sqlite:///{name}/others.db"
        database = Database(url)
        upgrade(database)
        database.dispose()
        return burden.measure(Path(name), database_url=url)


def _comparisons(burden: Burden, found: list[Effect]) -> list[Comparison]:
    sides = {
        "median": [(each.later.median_ms, allowed_median_ms(each)) for each in found],
        "p95": [(each.later.p95_ms, LATER_P95_MS) for each in found],
        "p95, first second": [(each.first_second.p95_ms, FIRST_P95_MS) for each in found],
    }
    return [
        Comparison(f"{burden}: {figure}", "ms", Target.at_most(1.0), *zip(*pairs, strict=True))
        for figure, pairs in sides.items()
    ]


def _note(burden: Burden, effect: Effect) -> str:
    calm, later = effect.calm, effect.later
    return (
        f"{burden}: {later.median_ms / calm.median_ms:.2f} of the calm median ({calm.median_ms} ms)"
        f" and {later.p95_ms / calm.p95_ms:.2f} of the calm p95 ({calm.p95_ms} ms);"
        f" at most {effect.most_queued} in the queue"
    )
