"""Measure retention on ten million old deliveries while another process writes the ledger."""

from __future__ import annotations

import multiprocessing
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median, quantiles

from benchmarks.filling import CONVERSATIONS, DELIVERIES_EACH, fill
from benchmarks.installation import LICENCES
from benchmarks.report import Comparison, Report, Target
from benchmarks.servers import databases
from ireserve_mattermost.lanes import Lane, LaneEntry
from models import Database, utc_now
from models.migrations import upgrade
from models.steps import Steps
from tasks.outbound import ledger
from tasks.outbound.retention import MAY_BE_REMOVED, remove_deliveries
from tests.webhook_calls import add_licence

# The promise: no transaction holds its locks for longer than this.
MOST_MS = 100.0
TARGET = Target.at_most(1.0)
# The rows in the tables are a year old.
KEPT = timedelta(days=30)
# How long the writer is measured alone, and the time between two writes.
ALONE_S = 10.0
WRITES_EACH_S = 0.01


def run(*, rounds: int, step: int = 1) -> Report:
    """Return the longest transaction of a whole run on each database, against the promise.

    There is one run, whatever ``rounds``, since it removes the rows. ``step`` fills the tables with
    each ``step``-th conversation only.
    """
    del rounds
    comparisons, notes = [], []
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        for kind, url in stack.enter_context(databases(Path(name))).items():
            database = Database(url)
            upgrade(database)
            for licence_id in LICENCES:
                add_licence(database, licence_id, tokens=())
            fill(database, step=step)
            longest_ms, lines = _measure(kind, database, url, rows=_rows(step))
            comparisons.append(Comparison(kind, "ms", TARGET, (longest_ms,), (MOST_MS,)))
            notes += lines
            database.dispose()
    return Report("retention", tuple(comparisons), tuple(notes))


def _rows(step: int) -> int:
    return CONVERSATIONS // step * DELIVERIES_EACH


def _measure(kind: str, database: Database, url: str, *, rows: int) -> tuple[float, list[str]]:
    alone = _Writer(url)
    time.sleep(ALONE_S)
    before = alone.stop()
    beside = _Writer(url)
    steps = Steps(database)
    began, removed = time.perf_counter(), 0
    for count in remove_deliveries(steps, before=utc_now() - KEPT, which=MAY_BE_REMOVED):
        removed += count
    took_s = time.perf_counter() - began
    during = beside.stop()
    print(f"  {kind}: removed {removed:,}", file=sys.stderr)
    return steps.longest_s * 1_000, [
        f"{kind}: {removed:,} of {rows:,} deliveries removed in {took_s:.0f} s, "
        f"{removed / took_s:,.0f} a second",
        f"{kind}: a write beside it {_described(during)}; alone {_described(before)}",
    ]


def _described(took_ms: list[float]) -> str:
    p99 = quantiles(took_ms, n=100, method="inclusive")[-1]
    return f"took {median(took_ms):.1f} ms (p99 {p99:.1f}, longest {max(took_ms):.1f})"


class _Writer:
    """A process that begins a delivery up to 100 times a second, as a worker does."""

    def __init__(self, url: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._here, there = context.Pipe()
        self._process = context.Process(target=_write, args=(url, there))
        self._process.start()
        self._here.recv()

    def stop(self) -> list[float]:
        """Stop the process; return the time of each write (ms)."""
        self._here.send(None)
        took_ms: list[float] = self._here.recv()
        self._process.join()
        return took_ms


def _write(url: str, there: Connection) -> None:
    database, took_ms, number = Database(url), [], 0
    lane = Lane.of_conversation("L1", f"beside-{time.time_ns()}")
    while True:
        began = time.perf_counter()
        with database.autocommit() as connection:
            entry = LaneEntry("reply", f"reply:{number}", "task", {}, 1)
            ledger.begin(connection, lane, [entry])
        took_ms.append((time.perf_counter() - began) * 1_000)
        if number == 0:
            there.send("ready")
        if there.poll(WRITES_EACH_S):
            break
        number += 1
    # The first write includes making the connection.
    there.send(took_ms[1:])
    database.dispose()
