"""``bin/bench``: run all benchmarks, or those that are named; exit code 1 if a target is missed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import click
from rich.console import Console

from benchmarks import webhook
from benchmarks.report import Report

BENCHMARKS: dict[str, Callable[..., Report]] = {"webhook": webhook.run}
# A median of fewer says little on a machine that does other things as well.
MIN_ROUNDS = 5


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(sorted(BENCHMARKS)))
@click.option("--rounds", type=click.IntRange(MIN_ROUNDS), default=MIN_ROUNDS, show_default=True)
@click.option("--json", "path", type=click.Path(path_type=Path), help="Write the figures here.")
def main(names: tuple[str, ...], rounds: int, path: Path | None) -> None:
    """Measure; without NAMES everything."""
    reports = [BENCHMARKS[name](rounds=rounds) for name in names or sorted(BENCHMARKS)]
    for report in reports:
        Console().print(report.as_table())
    if path is not None:
        figures = [report.as_json() for report in reports]
        path.write_text(json.dumps(figures, indent=2) + "\n")
    sys.exit(0 if all(report.is_met for report in reports) else 1)


if __name__ == "__main__":
    main()
