"""The database's connections commit at the right time, and survive a server's restart."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, Engine, func, select, text
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

from ireserve_mattermost.lanes import Lane, LaneEntry
from models import Database, Delivery
from models import session as session_module
from models.postgres import KEEPALIVE_S, PREPARE_AFTER
from tasks.outbound import ledger
from tasks.watch.own_servers import ServerTrouble, trouble_of
from tests.postgres_server import PostgresServer

LANE = Lane.of_conversation("L1", "c1")
ENTRIES = [LaneEntry("reply", f"reply:{number}", "task-1", {}, 1) for number in range(3)]


@pytest.fixture
def other(database: Database) -> Iterator[Database]:
    """The same database, as another process opens it."""
    made = Database(database.engine.url.render_as_string(hide_password=False))
    yield made
    made.dispose()


def _count(database: Database) -> int:
    with database.snapshot() as session:
        return session.scalar(select(func.count()).select_from(Delivery)) or 0


def _begin_and_raise(
    block: AbstractContextManager[Connection], entries: Sequence[LaneEntry]
) -> None:
    with block as connection:
        ledger.begin(connection, LANE, entries)
        raise KeyError


@pytest.mark.parametrize("entries", [ENTRIES[:1], ENTRIES], ids=["one", "several"])
def test_what_was_begun_is_committed_at_once(
    database: Database, other: Database, entries: list[LaneEntry]
) -> None:
    """With autocommit, other processes see a statement's rows before the block ends."""
    with database.autocommit() as connection:
        opening = ledger.begin(connection, LANE, entries)
        assert _count(other) == len(opening.begun) == len(entries)


def test_an_error_undoes_nothing_of_what_was_committed(database: Database) -> None:
    """With autocommit, a later error in the block undoes no statement."""
    with pytest.raises(KeyError):
        _begin_and_raise(database.autocommit(), ENTRIES)

    assert _count(database) == len(ENTRIES)


def test_transactions_after_autocommit_are_whole(database: Database) -> None:
    """After autocommit, the database's next connection has transactions again."""
    with database.autocommit() as connection:
        ledger.begin(connection, LANE, ENTRIES[:1])

    with pytest.raises(KeyError):
        _begin_and_raise(database.connection(), ENTRIES[1:])

    assert _count(database) == 1


def test_threads_may_use_a_database_first_at_the_same_time(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Threads that use the database first at the same time get one complete engine."""
    make = session_module._autocommitting
    made: list[Engine] = []

    def make_slowly(engine: Engine) -> Engine:
        made.append(engine)
        time.sleep(0.2)
        return make(engine)

    monkeypatch.setattr(session_module, "_autocommitting", make_slowly)
    database = Database(database_url.replace("postgresql:", "postgresql+psycopg:"))

    def ask(_number: int) -> Any:
        with database.autocommit() as connection:
            return connection.scalar(text("SELECT 1"))

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, range(4)))
    database.dispose()

    assert answers == [1] * 4
    assert len(made) == 1


def test_restarted_server_costs_no_error(own_postgres: PostgresServer) -> None:
    """Connections that the server has closed are replaced before their next use."""
    database = Database(own_postgres.url().replace("postgresql:", "postgresql+psycopg:"))
    with database.connection() as first, database.connection() as second:
        first.execute(text("SELECT 1"))
        second.execute(text("SELECT 1"))
    own_postgres.stop()
    own_postgres.start()

    with database.connection() as first, database.autocommit() as second:
        assert first.scalar(text("SELECT 1")) == second.scalar(text("SELECT 1")) == 1
    database.dispose()


def test_connections_are_kept(postgres_url: str) -> None:
    """Each block in turn uses the same connection to the server."""
    database = Database(postgres_url.replace("postgresql:", "postgresql+psycopg:"))
    pids = []
    for _ in range(3):
        with database.connection() as connection:
            pids.append(connection.scalar(text("SELECT pg_backend_pid()")))
    database.dispose()

    assert len(set(pids)) == 1


def test_statement_that_runs_often_is_prepared(postgres_url: str) -> None:
    """On a connection without a pooler, PostgreSQL keeps the plan of what is asked often."""
    database = Database(postgres_url.replace("postgresql:", "postgresql+psycopg:"))
    with database.reading() as connection:
        for _ in range(PREPARE_AFTER + 1):
            connection.execute(select(func.count()).select_from(Delivery))
        prepared = connection.execute(text("SELECT statement FROM pg_prepared_statements")).all()
    database.dispose()

    assert [statement.split()[:2] for (statement,) in prepared] == [["SELECT", "count(*)"]]


def test_prepared_statement_is_kept_after_other_work(postgres_url: str) -> None:
    """A transaction, a snapshot and a single query leave a connection's statements prepared."""
    database = Database(postgres_url.replace("postgresql:", "postgresql+psycopg:"))
    often = select(func.count()).select_from(Delivery)
    with database.reading() as connection:
        for _ in range(PREPARE_AFTER + 1):
            connection.execute(often)
    with database.connection() as connection:
        connection.execute(text("SELECT 1"))
    with database.transaction() as session:
        session.execute(text("SELECT 2"))
    with database.snapshot() as session:
        session.execute(text("SELECT 3"))
    with database.reading() as connection:
        prepared = connection.execute(text("SELECT count(*) FROM pg_prepared_statements")).scalar()
    database.dispose()

    assert prepared == 1


def test_migration_beside_a_prepared_statement_costs_one_attempt(postgres_url: str) -> None:
    """A prepared statement whose column has another type now fails once, as a lost connection."""
    database = Database(postgres_url.replace("postgresql:", "postgresql+psycopg:"))
    ask = text("SELECT note FROM probe")
    with psycopg.connect(postgres_url, autocommit=True) as migration:
        migration.execute("CREATE TABLE probe (note VARCHAR(10))")
        with database.reading() as connection:
            for _ in range(PREPARE_AFTER + 1):
                connection.execute(ask)
        migration.execute("ALTER TABLE probe ALTER note TYPE VARCHAR(20)")

    with (
        capture_logs() as logs,
        pytest.raises(DBAPIError) as caught,
        database.reading() as connection,
    ):
        connection.execute(ask)
    with database.reading() as connection:
        later = [connection.execute(ask).all() for _ in range(3 * PREPARE_AFTER)]
        prepared = connection.execute(text("SELECT count(*) FROM pg_prepared_statements")).scalar()
    database.dispose()

    assert trouble_of(caught.value) == ServerTrouble("database", "FeatureNotSupported")
    assert [line["event"] for line in logs] == ["prepared_statements_refused"]
    assert (later, prepared) == ([[]] * 3 * PREPARE_AFTER, 0)


def test_connection_that_was_used_last_is_used_first(database: Database) -> None:
    """Statements one after the other use one connection, whose caches are warm."""
    with database.reading(), database.reading():
        pass

    used = set()
    for _ in range(3):
        with database.reading() as connection:
            used.add(id(connection.connection.driver_connection))

    assert len(used) == 1


def test_idle_connection_sends_probes(postgres_url: str) -> None:
    """A connection that was idle for a minute shows a firewall that it is still in use."""
    database = Database(postgres_url.replace("postgresql:", "postgresql+psycopg:"))
    with database.reading() as connection:
        descriptor = connection.connection.driver_connection.fileno()  # type: ignore[union-attr]
        with socket.socket(fileno=os.dup(descriptor)) as shared:
            probes = shared.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            after_s = shared.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
    database.dispose()

    assert (probes, after_s) == (1, KEEPALIVE_S)
