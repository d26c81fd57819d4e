"""What a benchmark found: figures by round, their ratio, and whether the target is met."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from rich.box import SIMPLE
from rich.table import Table

_TEXTS = ("benchmark", "setting", "unit")
# What ours may take of the least, where the least itself misses the target.
OVER_LEAST = 1.15


@dataclass(frozen=True, slots=True)
class Target:
    """The ratio that a comparison has to keep: at least so much, or at most."""

    ratio: float
    is_limit: bool = False

    @classmethod
    def at_least(cls, ratio: float) -> Target:
        """Return the target of a figure that is the better the higher it is."""
        return cls(ratio)

    @classmethod
    def at_most(cls, ratio: float) -> Target:
        """Return the target of a figure that is the better the lower it is."""
        return cls(ratio, is_limit=True)

    def is_met_by(self, ratio: float) -> bool:
        """Return whether this ratio is good enough."""
        return ratio <= self.ratio if self.is_limit else ratio >= self.ratio

    def __str__(self) -> str:
        """Return it as a table shows it."""
        return f"{'≤' if self.is_limit else '≥'} {self.ratio:.2f}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Our figure and the yardstick's, round by round, in one setting.

    ``least``, where it was measured, is what our code cannot do without: the yardstick with
    the bare calls to the same servers, or with the bare libraries.
    """

    setting: str
    unit: str
    target: Target
    ours: tuple[float, ...]
    yardstick: tuple[float, ...]
    least: tuple[float, ...] = ()

    @property
    def ratios(self) -> tuple[float, ...]:
        """Return ours over the yardstick for each round, whose two halves ran back to back."""
        return _over(self.ours, self.yardstick)

    @property
    def ratio(self) -> float:
        """Return the median of the ratios."""
        return median(self.ratios)

    @property
    def least_ratio(self) -> float | None:
        """Return the ratio that the least has; None: it was not measured."""
        return median(_over(self.least, self.yardstick)) if self.least else None

    @property
    def is_possible(self) -> bool:
        """Return whether the least keeps the target."""
        return self.least_ratio is None or self.target.is_met_by(self.least_ratio)

    @property
    def is_met(self) -> bool:
        """Return whether the median ratio keeps the target, or is as near to it as is possible."""
        if self.target.is_met_by(self.ratio):
            return True
        return not self.is_possible and median(_over(self.ours, self.least)) <= OVER_LEAST

    @property
    def held(self) -> str:
        """Return in a word what ``is_met`` says, and where the target cannot be kept."""
        if not self.is_met:
            return "MISSED"
        return "yes" if self.target.is_met_by(self.ratio) else "by the least"

    def as_row(self) -> list[str]:
        """Return the figures as a table shows them."""
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
    """A benchmark's comparisons, and what else it saw that a reader should know."""

    name: str
    comparisons: tuple[Comparison, ...]
    notes: tuple[str, ...] = field(default=())

    @property
    def is_met(self) -> bool:
        """Return whether every comparison keeps its target."""
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
        """Return in one line whether the targets are held."""
        missed = [each.setting for each in self.comparisons if not each.is_met]
        return f"{self.name}: {'held' if not missed else 'MISSED: ' + ', '.join(missed)}"


def as_table(reports: Iterable[Report]) -> Table:
    """Return the medians and the range of the ratios, a line for each target, to print."""
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
    """Return the figure with four significant digits: more than that is noise."""
    return float(f"{value:.4g}")


def alternating(rounds: int) -> list[int]:
    """Return for each round the order of two halves: 1 as they stand, -1 the other way round.

    What runs second may find a warmer or a busier machine; so who goes first changes.
    """
    return [1 if number % 2 == 0 else -1 for number in range(rounds)]
