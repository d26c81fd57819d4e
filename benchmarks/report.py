"""What a benchmark found: figures by round, their ratio, and whether the target is met."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Any

from rich.table import Table


@dataclass(frozen=True, slots=True)
class Comparison:
    """Our requests per second and the yardstick's, round by round, in one setting."""

    setting: str
    ours: tuple[float, ...]
    yardstick: tuple[float, ...]

    @property
    def ratios(self) -> tuple[float, ...]:
        """Return ours over the yardstick for each round, whose two halves ran back to back."""
        return tuple(ours / other for ours, other in zip(self.ours, self.yardstick, strict=True))

    @property
    def ratio(self) -> float:
        """Return the median of the ratios."""
        return median(self.ratios)


@dataclass(frozen=True, slots=True)
class Report:
    """A benchmark's comparisons and the ratio that each of them has to reach."""

    name: str
    unit: str
    target: float
    comparisons: tuple[Comparison, ...]

    @property
    def is_met(self) -> bool:
        """Return whether every comparison reaches the target."""
        return all(each.ratio >= self.target for each in self.comparisons)

    def as_json(self) -> dict[str, Any]:
        """Return all figures as plain values."""
        return {
            "name": self.name,
            "unit": self.unit,
            "target": self.target,
            "is_met": self.is_met,
            "comparisons": [
                {
                    "setting": each.setting,
                    "ours": [round(value, 1) for value in each.ours],
                    "yardstick": [round(value, 1) for value in each.yardstick],
                    "ratios": [round(value, 3) for value in each.ratios],
                    "ratio": round(each.ratio, 3),
                }
                for each in self.comparisons
            ],
        }

    def as_table(self) -> Table:
        """Return the medians and the range of the ratios, to print."""
        table = Table(title=f"{self.name} ({self.unit}, medians; target {self.target})")
        for column in ("setting", "ours", "yardstick", "ratio", "from", "to"):
            table.add_column(column, justify="left" if column == "setting" else "right")
        for each in self.comparisons:
            rates = (f"{median(each.ours):.0f}", f"{median(each.yardstick):.0f}")
            ratios = (each.ratio, min(each.ratios), max(each.ratios))
            table.add_row(each.setting, *rates, *(f"{value:.2f}" for value in ratios))
        return table
