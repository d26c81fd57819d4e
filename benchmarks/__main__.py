"""``bin/bench``: run all benchmarks, or those that are named; exit code 1 if a target is missed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from benchmarks import (
    busy_channels,
    catch_up,
    client,
    delay,
    full_tables,
    idle,
    memory,
    one_conversation,
    others,
    outbound,
    recorded,
    retention,
    scaling,
    watching,
    webhook,
)
from benchmarks.machine import machine
from benchmarks.report import Report

BENCHMARKS: dict[str, Callable[..., Report]] = {
    "busy_channels": busy_channels.run,
    "catch_up": catch_up.run,
    "client": client.run,
    "delay": delay.run,
    "full_tables": full_tables.run,
    "idle": idle.run,
    "memory": memory.run,
    "one_conversation": one_conversation.run,
    "others": others.run,
    "outbound": outbound.run,
    "recorded": recorded.run,
    "retention": retention.run,
    "scaling": scaling.run,
    "watching": watching.run,
    "webhook": webhook.run,
}
# A median of fewer says little on a machine that does other things as well.
MIN_ROUNDS = 5


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(sorted(BENCHMARKS)))
@click.option("--rounds", type=click.IntRange(MIN_ROUNDS), default=MIN_ROUNDS, show_default=True)
@click.option("--json", "path", type=click.Path(path_type=Path), help="Write the figures here.")
def main(names: tuple[str, ...], rounds: int, path: Path | None) -> None:
    """Measure; without NAMES everything."""
    figures: dict[str, Any] = {"machine": machine(), "rounds": rounds, "benchmarks": []}
    reports = []
    for name in names or BENCHMARKS:
        report = BENCHMARKS[name](rounds=rounds)
        reports.append(report)
        Console().print(report.as_table())
        figures["benchmarks"].append(report.as_json())
        # After each one, so that a run that is broken off has left what it found.
        if path is not None:
            path.write_text(json.dumps(figures, indent=2) + "\n")
    sys.exit(0 if all(report.is_met for report in reports) else 1)


if __name__ == "__main__":
    main()
