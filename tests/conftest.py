"""Fixtures for the servers that the tests use: Redis, SQLite, PostgreSQL and the stand-in."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from redis import Redis

from demo.mattermost import StandIn, running_server
from demo.redis_server import RedisServer, running_redis
from models import Database
from models.migrations import upgrade
from tests.postgres_server import PostgresServer, postgres_binaries
from tests.reporting import (
    pytest_addoption,
    pytest_configure,
    pytest_runtest_makereport,
    pytest_sessionfinish,
    pytest_terminal_summary,
)
from tests.selection import pytest_collection_finish, pytest_collection_modifyitems
from tests.side_by_side import (
    machine,
    pytest_xdist_auto_num_workers,
    pytest_xdist_make_scheduler,
)
from tests.stage.deployment import Deploy, Deployment

__all__ = [
    "machine",
    "pytest_addoption",
    "pytest_collection_finish",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_runtest_makereport",
    "pytest_sessionfinish",
    "pytest_terminal_summary",
    "pytest_xdist_auto_num_workers",
    "pytest_xdist_make_scheduler",
]

_numbers = itertools.count(1)

# No deadline: how long an example takes depends on what else the machine does. The profile "suite"
# draws the same examples in each run; `--hypothesis-profile fresh` draws new examples.
settings.register_profile("fresh", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("suite", settings.get_profile("fresh"), derandomize=True)
settings.load_profile("suite")


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A real Redis server with an append-only file."""
    with running_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis_url(redis_server: RedisServer) -> Iterator[str]:
    """The address of an empty Redis database."""
    yield redis_server.url
    with Redis.from_url(redis_server.url) as redis:
        redis.flushall()


@pytest.fixture(scope="session")
def postgres_folder() -> Iterator[Path]:
    """A folder for PostgreSQL servers.

    The servers may run as another user, who cannot enter pytest's own folder.
    """
    with tempfile.TemporaryDirectory(prefix="ireserve-postgres-") as directory:
        Path(directory).chmod(0o711)
        yield Path(directory)


@pytest.fixture(scope="session")
def postgres_template(postgres_folder: Path) -> PostgresServer:
    """A stopped PostgreSQL server with all tables, to copy.

    Without PostgreSQL, the tests that need it are skipped with a note.
    """
    binaries = postgres_binaries()
    if binaries is None:
        pytest.skip("NO POSTGRESQL: install it (`apt-get install postgresql`) to run this test")
    server = PostgresServer.create(postgres_folder / "template", binaries)
    server.start()
    database = Database(server.url().replace("postgresql:", "postgresql+psycopg:"))
    upgrade(database)
    database.dispose()
    server.stop()
    return server


@pytest.fixture(scope="session")
def postgres_server(postgres_template: PostgresServer) -> Iterator[PostgresServer]:
    """A real PostgreSQL server that tests share."""
    with postgres_template.running_copy() as server:
        yield server


@pytest.fixture
def own_postgres(postgres_template: PostgresServer) -> Iterator[PostgresServer]:
    """A PostgreSQL server with all tables, which the test may stop."""
    with postgres_template.running_copy() as server:
        yield server


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with all tables, to copy."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    database = Database(f"sqlite:///{path}")
    upgrade(database)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.exec_driver_sql("BEGIN")
    database.dispose()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a new database with all tables; the test runs on SQLite and PostgreSQL."""
    if request.param == "sqlite":
        return str(request.getfixturevalue("sqlite_url"))
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The address of a new SQLite database with all tables."""
    path = tmp_path / "test.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> str:
    """The address of a new PostgreSQL database with all tables."""
    return postgres_server.create_database(f"test_{next(_numbers)}")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A new database with all tables; the test runs on SQLite and on PostgreSQL."""
    made = Database(database_url.replace("postgresql:", "postgresql+psycopg:"))
    yield made
    made.dispose()


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    """An empty stand-in Mattermost server."""
    with running_server() as server:
        yield server


@pytest.fixture
def deploy() -> Iterator[Deploy]:
    """A function that prepares deployments; their processes end with the test."""
    made: list[Deployment] = []

    def prepare(directory: Path, **more: Any) -> Deployment:
        made.append(Deployment.create(directory, **more))
        return made[-1]

    yield prepare
    for deployment in made:
        deployment.stop()
