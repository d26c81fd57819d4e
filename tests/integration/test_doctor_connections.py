"""The doctor compares the connections that processes may open with the server's limit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from inbound import web
from models import Database
from models.session import WEB_THREADS, most_connections
from settings import Settings
from tasks.checks.connections import check_connections, connections_needed
from tests.pgbouncer import pgbouncer_executable, running_pgbouncer
from tests.postgres_server import PostgresServer

# Two workers of eight threads, a web process and a command: 16 + 16 + 16 + 5.
WORKERS, NEED = [8, 8], 53


@pytest.fixture
def small(own_postgres: PostgresServer) -> PostgresServer:
    """A PostgreSQL server with 57 connections, three of them reserved for superusers."""
    own_postgres.stop()
    own_postgres.settings = {"max_connections": "57"}
    own_postgres.start()
    return own_postgres


@pytest.fixture
def database(small: PostgresServer) -> Iterator[Database]:
    """The database of the small server."""
    made = Database(small.url())
    yield made
    made.dispose()


def test_connections_are_compared_with_what_the_server_takes(database: Database) -> None:
    """The server's limit fits two workers' connections, and not a third worker's."""
    found = [check_connections(database, workers) for workers in (WORKERS, [*WORKERS, 8], None)]

    assert [check.state.value for check in found] == ["ok", "warn", "skip"]
    assert f"may open {NEED} connections, and PostgreSQL takes 54" in found[0].sentence
    assert "max_connections" in found[1].cure


@pytest.mark.parametrize("whose", ["ROLE test", "DATABASE postgres"])
def test_limit_of_the_role_or_the_database_counts(
    small: PostgresServer, database: Database, whose: str
) -> None:
    """The lowest limit of server, role and database counts."""
    small.execute(f"ALTER {whose} CONNECTION LIMIT 20")

    check = check_connections(database, WORKERS)

    assert (check.state.value, "PostgreSQL takes 20" in check.sentence) == ("warn", True)


def test_pooler_is_named(small: PostgresServer) -> None:
    """A pooler is named, because its own limit is unknown."""
    if pgbouncer_executable() is None:
        pytest.skip("NO PGBOUNCER: install it (`apt-get install pgbouncer`) to run this test")
    with TemporaryDirectory(prefix="ireserve-pgbouncer-") as name:
        Path(name).chmod(0o755)
        with running_pgbouncer(Path(name), small) as url:
            database = Database(url)
            check = check_connections(database, [*WORKERS, 8])
            database.dispose()

    assert check.state.value == "ok"
    assert "max_client_conn" in check.sentence


def test_pool_opens_no_more_than_is_reckoned_with(small: PostgresServer) -> None:
    """A pool opens no more connections than the doctor counts."""
    database = Database(small.url(), pool_size=2)
    pool = database.engine.pool
    held = [pool.connect() for _ in range(most_connections(2))]

    pool._timeout = 0.1  # type: ignore[attr-defined]
    with pytest.raises(Exception, match="QueuePool limit"):
        pool.connect()

    for each in held:
        each.close()
    database.dispose()


def test_web_processes_are_reckoned_with_as_they_are(
    small: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The doctor counts as many connections as a web process's pool opens."""
    monkeypatch.setattr(web, "get_settings", lambda: Settings(database_url=small.url()))
    database = web._database.__wrapped__()

    assert database.engine.pool.size() == WEB_THREADS  # type: ignore[attr-defined]
    assert connections_needed(WORKERS) == NEED
