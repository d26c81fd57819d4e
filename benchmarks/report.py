"""The results of benchmarks: figures by round, their ratio, and whether the target is met."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from rich.box import SIMPLE
from rich.table import Table

_TEXTS = ("benchmark", "setting", "unit")
# Our largest ratio to the least work, if the least work itself misses the target.
OVER_LEAST = 1.15


@dataclass(frozen=True, slots=True)
class Target:
    """The limit of a comparison's ratio: at least or at most this value."""

    ratio: float
    is_limit: bool = False

    @classmethod
    def at_least(cls, ratio: float) -> Target:
        """Return the target of a figure for which higher is better."""
        return cls(ratio)

    @classmethod
    def at_most(cls, ratio: float) -> Target:
        """Return the target of a figure for which lower is better."""
        return cls(ratio, is_limit=True)

    def is_met_by(self, ratio: float) -> bool:
        """Return whether this ratio is good enough."""
        return ratio <= self.ratio if self.is_limit else ratio >= self.ratio

    def __str__(self) -> str:
        """Return the target as a table shows it."""
        return f"{'≤' if self.is_limit else '≥'} {self.ratio:.2f}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Our figure and the yardstick's, round by round, in one setting.

    ``least``, if measured, is the least that our code needs: the yardstick with bare calls to
    the same servers, or with the bare libraries.
    """

    setting: str
    unit: str
    target: Target
    ours: tuple[float, ...]
    yardstick: tuple[float, ...]
    least: tuple[float, ...] = ()

    @property
    def ratios(self) -> tuple[float, ...]:
        """Our figure divided by the yardstick's, for each round of two halves in succession."""
        return _over(self.ours, self.yardstick)

    @property
    def ratio(self) -> float:
        """The median of the ratios."""
        return median(self.ratios)

    @property
    def least_ratio(self) -> float | None:
        """The ratio of the least to the yardstick; None if it was not measured."""
        return median(_over(self.least, self.yardstick)) if self.least else None

    @property
    def is_possible(self) -> bool:
        """Whether the least keeps the target."""
        return self.least_ratio is None or self.target.is_met_by(self.least_ratio)

    @property
    def is_met(self) -> bool:
        """Whether the median ratio keeps the target, or is close to the least if that cannot."""
        if self.target.is_met_by(self.ratio):
            return True
        return not self.is_possible and median(_over(self.ours, self.least)) <= OVER_LEAST

    @property
    def held(self) -> str:
        """``is_met`` in words, which also say if only the least made it true."""
        if not self.is_met:
            return "MISSED"
        return "yes" if self.target.is_met_by(self.ratio) else "by the least"

    def as_row(self) -> list[str]:
        """Return the figures as a row of a table."""
        ratios = (self.ratio, min(self.ratios), max(self.ratios))
        return [
            self.setting,
            self.unit,
            *(f"{_short(median(values)):g}" for values in (self.ours, self.yardstick)),
            *(f"{value:.2f}" for value in ratios),
            "" if self.least_ratio is None else f"{self.least_ratio:.2f}",
            str(self.target),
            self.held,
        ]

    def as_json(self) -> dict[str, Any]:
        """Return all figures as plain values."""
        return {
            "setting": self.setting,
            "unit": self.unit,
            "target": str(self.target),
            "is_met": self.is_met,
            "ours": [_short(value) for value in self.ours],
            "yardstick": [_short(value) for value in self.yardstick],
            "ratios": [round(value, 3) for value in self.ratios],
            "ratio": round(self.ratio, 3),
            "least": [_short(value) for value in self.least],
            "least_ratio": None if self.least_ratio is None else round(self.least_ratio, 3),
        }


@dataclass(frozen=True, slots=True)
class Report:
    """A benchmark's comparisons, and notes for the reader."""

    name: str
    comparisons: tuple[Comparison, ...]
    notes: tuple[str, ...] = field(default=())

    @property
    def is_met(self) -> bool:
        """Whether every comparison keeps its target."""
        return all(each.is_met for each in self.comparisons)

    def as_json(self) -> dict[str, Any]:
        """Return all figures as plain values."""
        return {
            "name": self.name,
            "is_met": self.is_met,
            "comparisons": [each.as_json() for each in self.comparisons],
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        """Return one line that says whether the targets are met."""
        missed = [each.setting for each in self.comparisons if not each.is_met]
        return f"{self.name}: {'held' if not missed else 'MISSED: ' + ', '.join(missed)}"


def as_table(reports: Iterable[Report]) -> Table:
    """Return a table to print: the medians and the range of the ratios for each comparison."""
    table = Table(box=SIMPLE)
    for column in _TEXTS:
        table.add_column(column)
    for column in ("ours", "yardstick", "ratio", "from", "to", "least", "target", "held"):
        table.add_column(column, justify="right")
    for report in reports:
        for each in report.comparisons:
            table.add_row(report.name, *each.as_row())
    return table


def _over(ours: Iterable[float], others: Iterable[float]) -> tuple[float, ...]:
    return tuple(one / other for one, other in zip(ours, others, strict=True))


def _short(value: float) -> float:
    """Return the figure with four significant digits; more digits would be noise."""
    return float(f"{value:.4g}")


def alternating(rounds: int) -> list[int]:
    """Return the order of the two halves for each round: 1 for the given order, -1 for the reverse.

    The second half may run on a warmer or busier machine, so the order changes every round.
    """
    return [1 if number % 2 == 0 else -1 for number in range(rounds)]
