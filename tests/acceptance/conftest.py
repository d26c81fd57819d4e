"""A stage for each test, fires that burn beside each other, and the report of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import pytest

from demo.redis_server import RedisServer, running_redis
from tests.acceptance.figures import Figures, table, write_report
from tests.acceptance.load import Size
from tests.postgres_server import postgres_binaries
from tests.stage.deployed import DeployedStage, running_stage

__all__ = ["DeployedStage"]

# The usual load is soon through, and then a fire waits for a killed worker's lock to run out; the
# full one, as promised, keeps the machine busy.
USUAL_LOAD, USUALLY_AT_ONCE = Size(30, 10), 4
FULL_LOAD, FULL_AT_ONCE = Size(100, 20), 2


class AnyFire(Protocol):
    """What burns, on which database."""

    @property
    def database(self) -> str:
        """Return "sqlite" or "postgresql"."""

    def burn(self, directory: Path, *, database_url: str, size: Size) -> Figures:
        """Run it and return what was measured."""


Burn = Callable[[AnyFire], Figures]


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark of what only the full load brings."""
    config.addinivalue_line("markers", "full_load: runs with --full-load alone")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what only the full load brings."""
    if config.getoption("--full-load"):
        return
    left_out = [item for item in items if item.get_closest_marker("full_load")]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was measured in the fires, and write it down if that was asked for."""
    reports = terminalreporter.getreports("passed")
    told = [told for report in reports for told in report.user_properties]
    rows = [row for name, row in told if name == "fire"]
    if rows:
        terminalreporter.section("fires survived")
        for line in table(rows):
            terminalreporter.write_line(line)
    path = terminalreporter.config.getoption("--fire-report")
    if path:
        write_report(Path(path), rows)


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis server that the test may stop and kill."""
    with running_redis(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def stage(database_url: str, tmp_path: Path) -> Iterator[DeployedStage]:
    """A deployment with licence L1; the test starts the processes that it needs."""
    with running_stage(tmp_path, database_url=database_url) as made:
        yield made


@pytest.fixture
def size(request: pytest.FixtureRequest) -> Size:
    """How large a load is: as usual, or with --full-load."""
    return FULL_LOAD if request.config.getoption("--full-load") else USUAL_LOAD


@pytest.fixture(scope="module")
def burning(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[AnyFire, Future[Figures]]]:
    """The module's selected fires, some of them burning at once."""
    is_full = request.config.getoption("--full-load")
    size, at_once = (FULL_LOAD, FULL_AT_ONCE) if is_full else (USUAL_LOAD, USUALLY_AT_ONCE)
    items = [item for item in request.session.items if item.path == request.path]
    fires = [item.callspec.params["fire"] for item in items if hasattr(item, "callspec")]
    with ThreadPoolExecutor(at_once) as pool:
        futures = {}
        for fire in fires:
            directory = tmp_path_factory.mktemp("fire")
            url = _fresh_database(request, fire.database, directory)
            if url is not None:
                futures[fire] = pool.submit(fire.burn, directory, database_url=url, size=size)
        try:
            yield futures
        finally:
            # After the first failure or Ctrl-C nobody waits for those that have not begun.
            pool.shutdown(cancel_futures=True)


def _fresh_database(request: pytest.FixtureRequest, kind: str, directory: Path) -> str | None:
    if kind == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), directory / "test.db")
        return f"sqlite:///{directory / 'test.db'}"
    if postgres_binaries() is None:
        # Whoever asks for this fire is skipped; the others are not.
        return None
    server = request.getfixturevalue("postgres_server")
    server.execute(f"CREATE DATABASE {directory.name} TEMPLATE postgres")
    return str(server.url(directory.name))


@pytest.fixture
def burn(
    request: pytest.FixtureRequest,
    burning: Mapping[AnyFire, Future[Figures]],
    record_property: Callable[[str, object], None],
) -> Burn:
    """Return what was measured in a fire, once it is out; raises what went wrong in it."""

    def burnt(fire: AnyFire) -> Figures:
        if fire.database == "postgresql":
            request.getfixturevalue("postgres_server")
        figures = burning[fire].result()
        record_property("fire", figures.row())
        return figures

    return burnt
