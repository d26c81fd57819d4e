"""The database: one engine per process, and short transactions on it."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from threading import Lock, RLock
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.orm import Session, sessionmaker

# How long a writer waits for another one on SQLite, which allows one at a time.
SQLITE_BUSY_MS = 30_000
# How long a thread waits for a connection or for PostgreSQL to answer a new one.
POOL_TIMEOUT_S = 10
CONNECT_TIMEOUT_S = 5
# What a connection's transactions are like, where they are not the usual ones.
_MODE = "ireserve_mode"
_READ_ONLY = "read only"
_AUTOCOMMIT = "autocommit"


class Database:
    """The engine for one database address, made at the first use and again after a fork."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self._url = make_url(url)
        self._pool_size = pool_size
        self._engine: Engine | None = None
        self._pid = 0
        self._turn: AbstractContextManager[Any] = nullcontext()
        self._making = Lock()

    @property
    def engine(self) -> Engine:
        """Return this process's engine."""
        if self._engine is None or self._pid != os.getpid():
            with self._making:
                if self._engine is None or self._pid != os.getpid():
                    self._make_engine()
        assert self._engine is not None
        return self._engine

    def _make_engine(self) -> None:
        engine = _create_engine(self._url, self._pool_size)
        self._sessions = sessionmaker(engine, expire_on_commit=False)
        self._autocommit = _autocommitting(engine)
        # SQLite lets one write at a time and others ask again after a sleep: threads of one
        # process had better queue up.
        self._turn = RLock() if self._url.get_backend_name() == "sqlite" else nullcontext()
        # Last, for other threads take it as the sign that all the rest is there.
        self._engine, self._pid = engine, os.getpid()

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Yield a session; commit at the end, roll back if the block raises."""
        _ = self.engine
        with self._turn, self._sessions.begin() as session:
            yield session

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """Yield a session that only reads, and holds nobody up however long that takes."""
        reading = self.engine.execution_options(**{_MODE: _READ_ONLY})
        with Session(reading) as session:
            yield session

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Yield a connection in a transaction, for plain statements: half the cost of a session."""
        engine = self.engine
        with self._turn, engine.begin() as connection:
            yield connection

    @contextmanager
    def autocommit(self) -> Iterator[Connection]:
        """Yield a connection on which each statement is a transaction of its own.

        It takes the database one answer instead of three.
        """
        _ = self.engine
        with self._turn, self._autocommit.connect() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection for single statements that only read, and wait for no writer."""
        _ = self.engine
        with self._autocommit.connect() as connection:
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
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=POOL_TIMEOUT_S,
        # Behind a pool that gives each transaction another connection (PgBouncer), a statement that
        # was prepared on one is unknown on the next, and its name taken on a third.
        connect_args={"connect_timeout": CONNECT_TIMEOUT_S, "prepare_threshold": None},
    )
    event.listen(engine, "checkout", _leave_dropped)
    return engine


def _leave_dropped(connection: Any, _record: Any, _proxy: Any) -> None:
    """Take fresh connections when this one was closed meanwhile: the server was restarted.

    Whatever can be read before anything was asked is the end of the connection, or the server's
    last words. To look costs nothing; a question (``pool_pre_ping``) takes as long as a statement.
    """
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if poll.poll(0):
        raise InvalidatePoolError


def _autocommitting(engine: Engine) -> Engine:
    """Return the same engine with the same connections, whose statements need no commit."""
    if engine.dialect.name == "sqlite":
        # The driver is told at the connection, by ``_prepare_sqlite``; SQLAlchemy would undo that.
        return engine.execution_options(**{_MODE: _AUTOCOMMIT})
    return engine.execution_options(isolation_level="AUTOCOMMIT")


def _create_sqlite_engine(url: URL) -> Engine:
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url, hide_parameters=True, connect_args={"timeout": SQLITE_BUSY_MS / 1_000}
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin)
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


def _begin(connection: Any) -> None:
    mode = connection.get_execution_options().get(_MODE)
    if mode == _AUTOCOMMIT:
        return
    if mode == _READ_ONLY:
        connection.exec_driver_sql("BEGIN")
        return
    # A transaction that reads first and writes later fails at once ("database is locked") when
    # somebody else wrote in between, whatever the timeout. Taking the write lock first waits.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
