"""The faults of the database and Redis during a load: they run, but do not work."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psycopg
from redis import Redis

from tests.acceptance.fault_tests import FaultRun
from tests.postgres_server import PostgresServer

# Longer than a worker waits for Redis, and longer than one web request may take.
STILL_S = (7.0, 9.0)
SHORT_S = (2.0, 4.0)
HOUR_S = 3_600
LIBRARY = "libfaketime.so.1"


def stop_postgresql(run: FaultRun, server: PostgresServer) -> None:
    """Suspend all processes of PostgreSQL for some seconds, twice."""
    _take_away_twice(run, server.suspended, STILL_S)


def fill_postgresql(run: FaultRun, server: PostgresServer) -> None:
    """Take all connections of PostgreSQL, and cut the workers' connections, twice."""
    _take_away_twice(run, lambda: all_connections_taken(server), SHORT_S)


@contextmanager
def all_connections_taken(server: PostgresServer) -> Iterator[None]:
    """Hold all connections for the block, including the workers'."""
    taken: list[psycopg.Connection] = []
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(psycopg.OperationalError):
            while True:
                taken.append(stack.enter_context(psycopg.connect(server.url(), autocommit=True)))
        server_processes = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> ALL(%s)"
        )
        own = [connection.info.backend_pid for connection in taken]
        taken[0].execute(server_processes, [own])
        with contextlib.suppress(psycopg.OperationalError):
            while True:
                stack.enter_context(psycopg.connect(server.url()))
        yield


def stop_redis(run: FaultRun) -> None:
    """Suspend Redis' process for some seconds, twice."""
    process = run.stage.redis.process
    assert process is not None

    @contextmanager
    def suspended() -> Iterator[None]:
        process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            process.send_signal(signal.SIGCONT)

    _take_away_twice(run, suspended, STILL_S)


def fill_redis(run: FaultRun) -> None:
    """Limit Redis to less memory than it needs, twice."""
    _take_away_twice(run, lambda: _setting(run, "maxmemory", "1", "0"), SHORT_S)


def want_replicas(run: FaultRun) -> None:
    """Let Redis refuse all writes because it has no replica, twice."""
    _take_away_twice(run, lambda: _setting(run, "min-replicas-to-write", "1", "0"), SHORT_S)


def make_redis_a_replica(run: FaultRun) -> None:
    """Make Redis the replica of a missing server, as during a fail-over, twice."""

    @contextmanager
    def a_replica() -> Iterator[None]:
        with Redis.from_url(run.stage.redis.url) as redis:
            redis.execute_command("REPLICAOF", "127.0.0.1", "1")
            yield
            redis.execute_command("REPLICAOF", "NO", "ONE")

    _take_away_twice(run, a_replica, SHORT_S)


@contextmanager
def _setting(run: FaultRun, name: str, during: str, afterwards: str) -> Iterator[None]:
    with Redis.from_url(run.stage.redis.url) as redis:
        redis.config_set(name, during)
        yield
        redis.config_set(name, afterwards)


def _take_away_twice(
    run: FaultRun, away: Callable[[], AbstractContextManager[None]], seconds: tuple[float, float]
) -> None:
    for _ in run.moments(2):
        with away():
            run.wait_during_outage(*seconds)
        run.assert_goes_on()


def faketime_library() -> Path | None:
    """Return the library that changes a process's clock; None if it is not installed."""
    found = sorted(Path("/usr/lib").glob(f"**/faketime/{LIBRARY}"))
    return found[0] if found else None


def movable_clock(clock: Path, library: Path) -> Mapping[str, str]:
    """Return the environment of a process whose clock the file ``clock`` shifts."""
    clock.write_text("+0")
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        # Monotonic clocks do not change, as on a real machine.
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


def put_clock(run: FaultRun, clock: Path, seconds: int) -> None:
    """Shift Redis' clock by these seconds, and later during the load set it right."""
    for moment in run.moments(2):
        clock.write_text(f"{seconds:+}" if moment == 1 else "+0")
        run.assert_goes_on()
