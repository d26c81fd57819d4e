"""The database: one engine per process, and short transactions on it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from threading import Lock, RLock
from typing import Any

from sqlalchemy import Connection, Engine, QueuePool, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.orm import Session, sessionmaker

from models.limits import OPERATOR, Limits

# How long a writer waits for another one, because SQLite allows one at a time.
SQLITE_BUSY_MS = 30_000
# How long the write-ahead log of SQLite gets before a commit copies it into the database, in pages
# of 4 KiB. That takes some milliseconds, and a message may wait for this commit. SQLite's own
# value is 1,000.
CHECKPOINT_PAGES = 4_000
# The execution option of connections whose transactions are not the usual ones, and its values.
_MODE = "ireserve_mode"
_READ_ONLY = "read only"
_AUTOCOMMIT = "autocommit"
# The threads of a web process, and its kept connections: no thread waits for another's.
WEB_THREADS = 8


def most_connections(pool_size: int) -> int:
    """Return how many connections to PostgreSQL a process opens at most.

    The pool keeps ``pool_size`` connections, and opens as many again while they are needed. Further
    threads wait for a free connection.
    """
    return 2 * pool_size


class Database:
    """The engine for one database address, made at the first use and again after a fork."""

    def __init__(self, url: str, *, pool_size: int = 10, limits: Limits = OPERATOR) -> None:
        self._url = make_url(url)
        self._pool_size = pool_size
        self._limits = limits
        self._engine: Engine | None = None
        self._pid = 0
        self._turn: AbstractContextManager[Any] = nullcontext()
        self._making = Lock()

    @property
    def is_postgresql(self) -> bool:
        """Whether it is PostgreSQL, and not SQLite."""
        return self._url.get_backend_name() == "postgresql"

    @property
    def engine(self) -> Engine:
        """This process's engine."""
        if self._engine is None or self._pid != os.getpid():
            with self._making:
                if self._engine is None or self._pid != os.getpid():
                    self._make_engine()
        assert self._engine is not None
        return self._engine

    def _make_engine(self) -> None:
        engine = self._create_engine()
        self._sessions = sessionmaker(engine, expire_on_commit=False)
        self._autocommit = _autocommitting(engine)
        # SQLite lets one connection write at a time, and the others poll. With a lock, the threads
        # of one process take turns without polling.
        self._turn = RLock() if self._url.get_backend_name() == "sqlite" else nullcontext()
        # Set these last, because other threads take them as the sign that all else is ready.
        self._engine, self._pid = engine, os.getpid()

    def _create_engine(self) -> Engine:
        if self._url.get_backend_name() == "sqlite":
            return _create_sqlite_engine(self._url)
        # Imported here, because an installation on SQLite does not need the driver.
        from models.postgres import create_postgres_engine

        return create_postgres_engine(self._url, pool_size=self._pool_size, limits=self._limits)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Yield a session; commit at the end, roll back if the block raises."""
        _ = self.engine
        with self._turn, self._sessions.begin() as session:
            yield session

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """Yield a session that only reads, and never makes a writer wait."""
        reading = self.engine.execution_options(**{_MODE: _READ_ONLY})
        with Session(reading, expire_on_commit=False) as session:
            yield session
            # A rollback would make psycopg forget the connection's prepared statements.
            session.commit()

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Yield a connection in a transaction, for plain statements: half the cost of a session."""
        engine = self.engine
        with self._turn, engine.begin() as connection:
            yield connection

    @contextmanager
    def autocommit(self) -> Iterator[Connection]:
        """Yield a connection on which each statement is a transaction of its own.

        A statement then takes one request to the database instead of three.
        """
        _ = self.engine
        with self._turn, self._autocommit.connect() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection for single statements that only read, and never wait for a writer."""
        _ = self.engine
        with self._autocommit.connect() as connection:
            yield connection

    def is_read_only(self) -> bool:
        """Return whether the database takes no writes: a standby, or a read-only file.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: the database does not answer.
        """
        with self.reading() as connection:
            if self.is_postgresql:
                return bool(connection.scalar(text("SHOW transaction_read_only")) == "on")
            connection.execute(text("SELECT 1"))
        # A trial write would wait for the current writer.
        return bool(self._url.database) and not os.access(str(self._url.database), os.W_OK)

    def statement_limit_s(self) -> int:
        """Return after how many seconds PostgreSQL itself ends a statement; 0: never.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: the database does not answer.
        """
        with self.reading() as connection:
            asked = text("SELECT setting::bigint FROM pg_settings WHERE name = 'statement_timeout'")
            return int(connection.scalar(asked) or 0) // 1_000

    def dispose(self) -> None:
        """Close all connections."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None


def _autocommitting(engine: Engine) -> Engine:
    """Return an engine with the same connections that commits each statement by itself."""
    if engine.dialect.name == "sqlite":
        # ``_prepare_sqlite`` has set the driver to this; SQLAlchemy's own option would undo that.
        return engine.execution_options(**{_MODE: _AUTOCOMMIT})
    return engine.execution_options(isolation_level="AUTOCOMMIT")


def _create_sqlite_engine(url: URL) -> Engine:
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url,
        # Errors must not show parameters: they are names and message texts.
        hide_parameters=True,
        # SQLite drops a connection's cache of pages when another connection has written. A database
        # in memory would have a pool without this option.
        poolclass=QueuePool,
        pool_use_lifo=True,
        connect_args={"timeout": SQLITE_BUSY_MS / 1_000},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver would begin a transaction at the first write. ``_begin`` does so instead.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    # With the write-ahead log, a commit survives the end of the process. Only a power cut may undo
    # the last commits, and then the lanes in Redis are as old.
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
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
    # another connection wrote in between, whatever the timeout. With the write lock taken first, it
    # waits instead.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
