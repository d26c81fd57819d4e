"""The figures of a fault test, and the report of all fault tests."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from math import ceil
from pathlib import Path
from statistics import median
from typing import Any

COLUMNS = ("fault_test", "database", "messages", "twice", "faults", "restarts", "failed")
TIMES = ("median_s", "p99_s", "max_s", "settled_s")


@dataclass(frozen=True, slots=True)
class Delays:
    """Delays from `.delay()` to the post (inbound: from the post to its record), in seconds."""

    median_s: float
    p99_s: float
    max_s: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Delays:
        """Return the figures of these delays."""
        ordered = sorted(seconds)
        p99 = ordered[ceil(len(ordered) * 0.99) - 1]
        return cls(*(round(value, 4) for value in (median(ordered), p99, ordered[-1])))


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a fault test that passed.

    ``twice`` counts messages that were enqueued or delivered a second time. ``restarts`` counts
    processes that were started again. ``settled_s`` is the time from the last fault to the end.
    """

    fault_test: str
    database: str
    messages: int
    twice: int
    faults: int
    restarts: int
    failed: int
    settled_s: float
    delays: Delays

    def row(self) -> dict[str, Any]:
        """Return all figures by name."""
        values = asdict(self)
        return {**values, **values.pop("delays")}


def table(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return the report as lines of text."""
    headings = dict(zip(COLUMNS + TIMES, COLUMNS + TIMES, strict=True))
    cells = [
        [str(row[name]) for name in COLUMNS] + [_seconds(row[name]) for name in TIMES]
        for row in (headings, *rows)
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(
            # Align words left and numbers right.
            cell.ljust(width) if index < 2 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in cells
    ]


def _seconds(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.3f}"


def write_report(path: Path, rows: Iterable[dict[str, Any]], figures: Sequence[str] = ()) -> None:
    """Write the report as JSON, with the other tests' figures as sentences."""
    fault_tests = list(rows)
    report = {
        "passed": len(fault_tests),
        "faults": sum(row["faults"] for row in fault_tests),
        "fault_tests": fault_tests,
        "figures": list(figures),
    }
    path.write_text(json.dumps(report, indent=2) + "\n")
