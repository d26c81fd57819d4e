"""Fault tests that need the machine, or a shared server, for themselves."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tests.acceptance import faults
from tests.acceptance.fault_tests import FaultTest
from tests.acceptance.figures import Figures
from tests.acceptance.load import LICENCES, Size
from tests.postgres_server import PostgresServer

OTHERS = tuple(licence for licence in LICENCES if licence != faults.HUNG_LICENCE)
# 25 messages a second, a quarter of two workers' capacity, so that no message waits for another.
PACED_S = 0.04
# The promise: the others' median delay grows by less than a quarter.
MOST_GROWTH = 1.25


def test_restarted_postgresql_loses_and_doubles_nothing(
    postgres_url: str,
    postgres_server: PostgresServer,
    tmp_path: Path,
    size: Size,
    record_property: Callable[[str, object], None],
) -> None:
    """A restart and a crash of PostgreSQL during a load let no message fail."""
    fault = partial(faults.restart_postgresql, server=postgres_server)

    figures = FaultTest("PostgreSQL restarted", fault, "postgresql").run(
        tmp_path, database_url=postgres_url, size=size
    )

    record_property("fault_test", figures.row())
    assert figures.failed == 0


@pytest.mark.full_load
@pytest.mark.measures_time
def test_dead_server_hardly_delays_the_other_licences(
    sqlite_template: Path,
    tmp_path: Path,
    size: Size,
    record_property: Callable[[str, object], None],
) -> None:
    """While one licence's server hangs, the others' median delay grows by less than a quarter.

    The same load with all servers alive runs at the same time, so that other work of the machine
    affects both alike.
    """
    paced = replace(size, messages=2 * size.messages, pause_s=PACED_S)
    alive = FaultTest("all servers alive", faults.nothing, licences=OTHERS)
    dead = FaultTest("one server dead", faults.hang_one_server, licences=OTHERS)

    def run(fault_test: FaultTest) -> Figures:
        directory = tmp_path / fault_test.name
        directory.mkdir()
        (directory / "test.db").write_bytes(sqlite_template.read_bytes())
        return fault_test.run(
            directory, database_url=f"sqlite:///{directory / 'test.db'}", size=paced
        )

    with ThreadPoolExecutor(2) as pool:
        figures = dict(zip(("alive", "dead"), pool.map(run, (alive, dead)), strict=True))

    for each in figures.values():
        record_property("fault_test", each.row())
    medians = {name: each.delays.median_s for name, each in figures.items()}
    assert medians["dead"] < MOST_GROWTH * medians["alive"], medians
