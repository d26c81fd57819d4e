"""Fixtures: a stage for each test, and fault tests with their database and report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from demo.redis_server import RedisServer, running_redis
from tests.acceptance.figures import Figures
from tests.acceptance.load import Size
from tests.stage.deployed import DeployedStage, running_stage

__all__ = ["DeployedStage"]

USUAL_LOAD, FULL_LOAD = Size(30, 10), Size(100, 20)


class AnyFaultTest(Protocol):
    """A fault test of either direction, on one kind of database."""

    @property
    def database(self) -> str:
        """The kind of database: "sqlite" or "postgresql"."""

    def run(self, directory: Path, *, database_url: str, size: Size) -> Figures:
        """Run the fault test; return its figures."""


RunFaultTest = Callable[[AnyFaultTest], Figures]


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis server that the test may stop and kill."""
    with running_redis(tmp_path / "redis", fsync="always") as server:
        yield server


@pytest.fixture
def stage(database_url: str, tmp_path: Path) -> Iterator[DeployedStage]:
    """A deployment with licence L1; the test starts the processes that it needs."""
    with running_stage(tmp_path, database_url=database_url) as made:
        yield made


@pytest.fixture
def size(request: pytest.FixtureRequest) -> Size:
    """The size of a load: the usual one, or with --full-load the full one."""
    return FULL_LOAD if request.config.getoption("--full-load") else USUAL_LOAD


@pytest.fixture
def run_fault_test(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    size: Size,
    record_property: Callable[[str, object], None],
) -> RunFaultTest:
    """A function that runs a fault test on a new database and returns its figures."""

    def run(fault_test: AnyFaultTest) -> Figures:
        kind = "sqlite" if fault_test.database == "sqlite" else "postgres"
        url = str(request.getfixturevalue(f"{kind}_url"))
        figures = fault_test.run(tmp_path, database_url=url, size=size)
        record_property("fault_test", figures.row())
        return figures

    return run
