"""The database: one engine per process, and short transactions on it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from threading import RLock
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.orm import Session, sessionmaker

# How long a writer waits for another one on SQLite, which allows one at a time.
SQLITE_BUSY_MS = 30_000
# How long a thread waits for a connection or for PostgreSQL to answer a new one.
POOL_TIMEOUT_S = 10
CONNECT_TIMEOUT_S = 5
# The option of a connection on which nothing is written.
_READ_ONLY = "ireserve_read_only"


class Database:
    """The engine for one database address, made at the first use and again after a fork."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self._url = make_url(url)
        self._pool_size = pool_size
        self._engine: Engine | None = None
        self._pid = 0
        self._turn: AbstractContextManager[Any] = nullcontext()

    @property
    def engine(self) -> Engine:
        """Return this process's engine."""
        if self._engine is None or self._pid != os.getpid():
            self._engine, self._pid = _create_engine(self._url, self._pool_size), os.getpid()
            self._sessions = sessionmaker(self._engine, expire_on_commit=False)
            # SQLite lets one write at a time and others ask again after a sleep: threads of one
            # process had better queue up.
            self._turn = RLock() if self._url.get_backend_name() == "sqlite" else nullcontext()
        return self._engine

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Yield a session; commit at the end, roll back if the block raises."""
        _ = self.engine
        with self._turn, self._sessions.begin() as session:
            yield session

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """Yield a session that only reads, and holds nobody up however long that takes."""
        reading = self.engine.execution_options(**{_READ_ONLY: True})
        with Session(reading) as session:
            yield session

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Yield a connection in a transaction, for plain statements: half the cost of a session."""
        engine = self.engine
        with self._turn, engine.begin() as connection:
            yield connection

    def dispose(self) -> None:
        """Close all connections."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None


def _create_engine(url: URL, pool_size: int) -> Engine:
    # Errors must not show parameters: they are names and message texts.
    if url.get_backend_name() == "sqlite":
        return _create_sqlite_engine(url)
    return create_engine(
        url,
        hide_parameters=True,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=POOL_TIMEOUT_S,
        # A restarted PostgreSQL costs one cheap question instead of one failed message.
        pool_pre_ping=True,
        connect_args={"connect_timeout": CONNECT_TIMEOUT_S},
    )


def _create_sqlite_engine(url: URL) -> Engine:
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url, hide_parameters=True, connect_args={"timeout": SQLITE_BUSY_MS / 1_000}
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver would begin transactions by its own rules (at the first write); we begin them.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    # With the write-ahead log a commit survives the death of the process; only a power cut may
    # undo the last ones, and then the lanes in Redis are as old.
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_immediate(connection: Any) -> None:
    if connection.get_execution_options().get(_READ_ONLY):
        connection.exec_driver_sql("BEGIN")
        return
    # A transaction that reads first and writes later fails at once ("database is locked") when
    # somebody else wrote in between, whatever the timeout. Taking the write lock first waits.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
