"""Run all or the named benchmarks: ``bin/bench``. The exit code is 1 if a target is missed."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from benchmarks import (
    catch_up,
    client,
    delay,
    full_tables,
    growth,
    idle,
    memory,
    one_conversation,
    outbound,
    recorded,
    retention,
    watching,
    webhook,
)
from benchmarks.evidence import busy_channels, others, scaling
from benchmarks.machine import machine
from benchmarks.report import Report, as_table

# The benchmarks of the table in the docs, which take ten minutes.
USUAL: dict[str, Callable[..., Report]] = {
    "idle": idle.run,
    "outbound": outbound.run,
    "one_conversation": one_conversation.run,
    "delay": delay.run,
    "client": client.run,
    "recorded": recorded.run,
    "catch_up": catch_up.run,
    "webhook": webhook.run,
    "memory": memory.run,
}
# Soak tests, and tables of ten million rows.
LONG: dict[str, Callable[..., Report]] = {
    "growth": growth.run,
    "full_tables": full_tables.run,
    "retention": retention.run,
    "watching": watching.run,
}
# The evidence for decisions (docs/adr).
EVIDENCE: dict[str, Callable[..., Report]] = {
    "busy_channels": busy_channels.run,
    "others": others.run,
    "scaling": scaling.run,
}
BENCHMARKS = {**USUAL, **LONG, **EVIDENCE}
# A median of fewer rounds means little on a machine that also does other work.
MIN_ROUNDS = 5
WIDTH = 140


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(sorted(BENCHMARKS)))
@click.option(
    "--long",
    "is_long",
    is_flag=True,
    help="The soak and ten million rows instead, which take hours.",
)
@click.option("--rounds", type=click.IntRange(MIN_ROUNDS), default=MIN_ROUNDS, show_default=True)
@click.option(
    "--json", "path", type=click.Path(path_type=Path), help="Write the figures to this file."
)
def main(names: tuple[str, ...], is_long: bool, rounds: int, path: Path | None) -> None:
    """Measure the named benchmarks, or without NAMES those of the table, in ten minutes."""
    figures: dict[str, Any] = {"machine": machine(), "rounds": rounds, "benchmarks": []}
    # Wide enough for the table's lines, also in a file.
    console = Console(width=WIDTH)
    reports, began = [], time.monotonic()
    for name in names or (LONG if is_long else USUAL):
        report = BENCHMARKS[name](rounds=rounds)
        reports.append(report)
        minutes = (time.monotonic() - began) / 60
        print(f"{minutes:5.1f} min: {report}", file=sys.stderr, flush=True)
        figures["benchmarks"].append(report.as_json())
        figures["minutes"] = round(minutes, 1)
        # Write after each benchmark, so that an interrupted run leaves its figures.
        if path is not None:
            path.write_text(json.dumps(figures, indent=2) + "\n")
    console.print(as_table(reports))
    for report in reports:
        for note in report.notes:
            console.print(f"{report.name}: {note}", markup=False, highlight=False)
    sys.exit(0 if all(report.is_met for report in reports) else 1)


if __name__ == "__main__":
    main()
