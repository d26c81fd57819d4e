"""A stage for each test, a database for each fire, and the report of what was measured."""

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


class AnyFire(Protocol):
    """What burns, on which database."""

    @property
    def database(self) -> str:
        """Return "sqlite" or "postgresql"."""

    def burn(self, directory: Path, *, database_url: str, size: Size) -> Figures:
        """Run it and return what was measured."""


Burn = Callable[[AnyFire], Figures]


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
    """How large a load is: as usual, or with --full-load."""
    return FULL_LOAD if request.config.getoption("--full-load") else USUAL_LOAD


@pytest.fixture
def burn(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    size: Size,
    record_property: Callable[[str, object], None],
) -> Burn:
    """Run a fire on a fresh database of its kind; return what was measured in it."""

    def burnt(fire: AnyFire) -> Figures:
        kind = "sqlite" if fire.database == "sqlite" else "postgres"
        url = str(request.getfixturevalue(f"{kind}_url"))
        figures = fire.burn(tmp_path, database_url=url, size=size)
        record_property("fire", figures.row())
        return figures

    return burnt
