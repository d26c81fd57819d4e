"""Time limits hold when PostgreSQL hangs, is slow, is full, or is behind PgBouncer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

from models import Database, postgres
from models.limits import WEB, WORKER, Limits, within
from models.postgres import PREPARE_AFTER
from tests.pgbouncer import pgbouncer_executable, running_pgbouncer
from tests.postgres_server import PostgresServer
from tests.waiting import wait_until

SHORT = Limits(connect_s=2, statement_s=1, lock_s=1, idle_in_transaction_s=1, answer_s=2)
# Additional time for a busy machine.
SLACK_S = 1.0


@contextmanager
def opened(url: str, limits: Limits) -> Iterator[Database]:
    """Yield a database that is opened with these limits."""
    made = Database(url.replace("postgresql:", "postgresql+psycopg:"), limits=limits)
    yield made
    made.dispose()


def ask(database: Database, statement: str = "SELECT 1") -> str:
    """Run one query; return the first line of its error, or an empty text."""
    try:
        with database.reading() as connection:
            connection.execute(text(statement))
    except DBAPIError as error:
        return str(error.orig).partition("\n")[0]
    return ""


@pytest.mark.parametrize("is_pooled", [True, False], ids=["pooled connection", "new connection"])
def test_server_that_stands_still_is_left_in_time(
    own_postgres: PostgresServer, is_pooled: bool
) -> None:
    """A connection to a hanging server is closed in time, and the next one is new."""
    with opened(own_postgres.url(), SHORT) as database:
        if is_pooled:
            ask(database)
        with own_postgres.suspended():
            began = time.monotonic()
            said = ask(database)
            took_s = time.monotonic() - began
        afterwards = ask(database)

    assert ("did not answer in time" if is_pooled else "timeout expired") in said
    assert took_s < SHORT.answer_s + SLACK_S
    assert afterwards == ""


def test_block_has_one_limit_for_all_that_it_asks(postgres_url: str) -> None:
    """One time limit holds for all statements of a block together."""
    slow = "SELECT pg_sleep(0.4)"
    with opened(postgres_url, SHORT) as database:
        ask(database)
        with within(1.0):
            said = [ask(database, slow) for _ in range(4)]
        afterwards = ask(database)

    assert said[0] == ""
    assert "did not answer in time" in said[3]
    assert afterwards == ""


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        pytest.param("SELECT pg_sleep(30)", "statement timeout", id="statement"),
        pytest.param("SELECT pg_advisory_lock(7)", "lock timeout", id="lock"),
    ],
)
def test_server_itself_ends_what_takes_too_long(
    postgres_url: str, statement: str, named: str
) -> None:
    """The server ends a slow statement or a long wait for a lock, and the connection is kept."""
    patient = replace(SHORT, statement_s=3 if named.startswith("lock") else 1, answer_s=10)
    with (
        psycopg.connect(postgres_url, autocommit=True) as other,
        opened(postgres_url, patient) as database,
    ):
        other.execute("SELECT pg_advisory_lock(7)")
        with database.reading() as connection:
            first = connection.connection.dbapi_connection
        said = ask(database, statement)
        with database.reading() as connection:
            kept = connection.connection.dbapi_connection is first

    assert named in said
    assert kept


def test_transaction_whose_process_stands_still_is_ended(postgres_url: str) -> None:
    """The transaction of a suspended process is ended, and its locks are freed."""
    locked = "SELECT pg_try_advisory_lock(8)"
    with (
        psycopg.connect(postgres_url, autocommit=True) as other,
        opened(postgres_url, SHORT) as database,
        suppress(DBAPIError),
        database.connection() as connection,
    ):
        connection.execute(text("SELECT pg_advisory_xact_lock(8)"))

        assert other.execute(locked).fetchone() == (False,)
        wait_until(lambda: other.execute(locked).fetchone() == (True,), what="the lock")


def test_options_of_the_address_are_kept_beside_ours(postgres_url: str) -> None:
    """Options in the address are kept and win over ours."""
    theirs = "?options=-csearch_path%3Dpg_catalog%20-cstatement_timeout%3D7s"
    with opened(postgres_url + theirs, WORKER) as database, database.reading() as connection:
        found = [
            connection.scalar(text(f"SHOW {name}"))
            for name in ("search_path", "statement_timeout", "lock_timeout")
        ]

    assert found == ["pg_catalog", "7s", f"{WORKER.lock_s}s"]


def test_full_server_is_an_error_at_once(own_postgres: PostgresServer) -> None:
    """A server without free connections gives an error at once."""
    own_postgres.stop()
    own_postgres.settings = {"max_connections": "6", "superuser_reserved_connections": "0"}
    own_postgres.start()
    with opened(own_postgres.url(), WEB) as database:
        taken = [psycopg.connect(own_postgres.url()) for _ in range(6)]
        began = time.monotonic()
        said = ask(database)
        took_s = time.monotonic() - began
        for each in taken:
            each.close()
        wait_until(lambda: has_room(own_postgres), what="a free connection")
        afterwards = ask(database)

    assert "too many clients" in said
    assert took_s < SLACK_S
    assert afterwards == ""


def has_room(server: PostgresServer) -> bool:
    """Return whether the server has freed the closed connections."""
    try:
        psycopg.connect(server.url()).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.fixture
def bouncer_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The address of a database through PgBouncer in transaction mode."""
    if pgbouncer_executable() is None:
        pytest.skip("NO PGBOUNCER: install it (`apt-get install pgbouncer`) to run this test")
    with TemporaryDirectory(prefix="ireserve-pgbouncer-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        with running_pgbouncer(directory, postgres_server) as url:
            yield url


def test_pooler_that_refuses_our_limits_is_used_without_them(bouncer_url: str) -> None:
    """Behind a pooler that refuses our options, only this process's limit holds."""
    with opened(bouncer_url, SHORT) as database, capture_logs() as logs:
        said = [ask(database), ask(database), ask(database, "SELECT pg_sleep(3)")]

    assert said[:2] == ["", ""]
    assert "did not answer in time" in said[2]
    assert [line["event"] for line in logs] == ["database_limits_refused"]


def test_limits_of_the_role_hold_behind_the_pooler(
    postgres_server: PostgresServer, request: pytest.FixtureRequest
) -> None:
    """Limits of the role, set as the docs say, hold for new connections behind the pooler."""
    postgres_server.execute("ALTER ROLE test SET statement_timeout = '500ms'")
    try:
        url = request.getfixturevalue("bouncer_url")
        with opened(url, replace(SHORT, answer_s=10)) as database:
            said = ask(database, "SELECT pg_sleep(3)")
    finally:
        postgres_server.execute("ALTER ROLE test RESET statement_timeout")

    assert "statement timeout" in said


def test_nothing_is_prepared_behind_a_pooler(bouncer_url: str) -> None:
    """A pooler in transaction mode may switch the connection, so no statement is prepared on it."""
    with opened(bouncer_url, SHORT) as database:
        said = [ask(database) for _ in range(2 * PREPARE_AFTER)]
        with database.reading() as connection:
            count = text("SELECT count(*) FROM pg_prepared_statements")
            prepared = connection.execute(count).scalar()

    assert said == [""] * 2 * PREPARE_AFTER
    assert prepared == 0


def test_pooler_that_passes_for_the_server_costs_one_attempt(
    bouncer_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a switched connection has lost a prepared statement, nothing is prepared any more."""
    monkeypatch.setattr(postgres, "_is_direct", lambda _: True)
    with opened(bouncer_url, SHORT) as database, psycopg.connect(bouncer_url) as another:
        before = [ask(database) for _ in range(2 * PREPARE_AFTER)]
        # A transaction of another client keeps the connection on which the statement is prepared.
        another.execute("SELECT 1")
        with capture_logs() as logs:
            after = [ask(database) for _ in range(2 * PREPARE_AFTER)]

    assert before == [""] * 2 * PREPARE_AFTER
    assert (bool(after[0]), after[1:]) == (True, [""] * (2 * PREPARE_AFTER - 1))
    assert "prepared_statements_refused" in [line["event"] for line in logs]
