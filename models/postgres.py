"""The engine for PostgreSQL, whose connections have our own time limits, also behind a pooler."""

from __future__ import annotations

import select
import time
from collections.abc import Generator
from typing import Any

import psycopg
import structlog
from psycopg import errors
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, ExceptionContext
from sqlalchemy.exc import InvalidatePoolError

from models.limits import Limits, answer_by

log = structlog.get_logger(__name__)

# How long a thread waits for a connection of the pool, unless ``answer_s`` is shorter.
POOL_TIMEOUT_S = 10
# An idle connection sends a probe after this time. Firewalls drop connections that are silent for
# some minutes, and the connections that a quiet process uses last are idle for longer.
KEEPALIVE_S = 60
# PgBouncer's error for options that it does not pass on.
_NOT_PASSED_ON = "unsupported startup parameter"
# A statement that has run this often on a connection is prepared the next time: psycopg's default.
PREPARE_AFTER = 5
# The errors of a statement that was prepared: its name is unknown or taken, as on another
# connection, or a table's columns have another type since.
_OF_PREPARED = (
    errors.InvalidSqlStatementName,
    errors.DuplicatePreparedStatement,
    errors.FeatureNotSupported,
)


class BoundedConnection(psycopg.Connection[Any]):
    """A connection that closes itself if an answer does not come in time.

    PostgreSQL's own limits need a running server. The kernel's limit (``tcp_user_timeout``) ends
    only connections to a host that is gone: the kernel of a suspended server still takes every
    byte. So this class checks the time whenever psycopg interrupts its wait, every 0.1 s.
    """

    answer_limit: _AnswerLimit | None = None

    def wait(self, gen: Generator[Any, Any, Any], *args: Any, **kwargs: Any) -> Any:
        """Wait until ``gen`` has its answer, or until the deadline.

        Raises:
            psycopg.OperationalError: no answer came in time, and the connection is closed. Or
                another request has just had no answer, and this one was not sent.
        """
        ends_at = self.answer_limit.ends_at() if self.answer_limit else None
        return super().wait(gen if ends_at is None else self._until(ends_at, gen), *args, **kwargs)

    def _until(self, ends_at: float, gen: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        try:
            awaited = next(gen)
            while True:
                ready = yield awaited
                if not ready and time.monotonic() > ends_at:
                    # A late answer would be taken for the answer to the next request.
                    self.pgconn.finish()
                    assert self.answer_limit is not None
                    self.answer_limit.note_silence()
                    raise psycopg.OperationalError("the database did not answer in time")
                awaited = gen.send(ready)
        except StopIteration as end:
            return end.value


class _AnswerLimit:
    """The deadlines of an engine's connections, and the pause after a request without an answer."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._silent_until = 0.0

    def ends_at(self) -> float | None:
        """Return the deadline of a request that begins now; None: no deadline.

        Raises:
            psycopg.OperationalError: another request has just had no answer.
        """
        if time.monotonic() < self._silent_until:
            raise psycopg.OperationalError("the database has just left another question unanswered")
        return answer_by(self._limits)

    def note_silence(self) -> None:
        """Note that a request was not answered in time."""
        self._silent_until = time.monotonic() + self._limits.rest_s


class _Connector:
    """Makes an engine's connections, with limits and prepared statements where these work."""

    def __init__(self, limits: Limits) -> None:
        self._answer_limit = _AnswerLimit(limits)
        self._options = limits.server_options()
        self._prepares = True

    def connect(self, _dialect: Any, _record: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        """Return a new connection; SQLAlchemy calls this for each one."""
        self._answer_limit.ends_at()
        try:
            connection = BoundedConnection.connect(*args, **self._with_options(kwargs))
        except psycopg.errors.ConnectionTimeout:
            self._answer_limit.note_silence()
            raise
        except psycopg.OperationalError as error:
            if not self._options or _NOT_PASSED_ON not in str(error):
                raise
            log.warning("database_limits_refused", cure="ALTER ROLE ... SET statement_timeout")
            self._options = ""
            connection = BoundedConnection.connect(*args, **kwargs)
        connection.answer_limit = self._answer_limit
        if self._prepares and _is_direct(connection):
            connection.prepare_threshold = PREPARE_AFTER
        return connection

    def _with_options(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        # The options of DATABASE_URL come last, so that they take precedence.
        options = f"{self._options} {kwargs.get('options', '')}".strip()
        return {**kwargs, "options": options} if options else kwargs

    def note_error(self, context: ExceptionContext) -> None:
        """Replace the connections after an error of a prepared statement, and prepare no more."""
        error = context.original_exception
        if not isinstance(error, _OF_PREPARED):
            return
        if self._prepares:
            log.warning("prepared_statements_refused", error=type(error).__name__)
        self._prepares = False
        # The caller tries again, as after any loss of the connection.
        context.is_disconnect = True


def _is_direct(connection: BoundedConnection) -> bool:
    """Return whether no pooler is in between, which could switch the server's connection.

    A pooler gives its clients process ids of its own, since one connection of the server is for
    many of them.
    """
    try:
        connection.autocommit = True
        row = connection.execute("SELECT pg_backend_pid()").fetchone()
        connection.autocommit = False
    except psycopg.Error:
        connection.close()
        raise
    return row is not None and row[0] == connection.info.backend_pid


def create_postgres_engine(url: URL, *, pool_size: int, limits: Limits) -> Engine:
    """Return an engine; nothing connects yet."""
    engine = create_engine(
        url,
        # Errors must not show parameters: they are names and message texts.
        hide_parameters=True,
        pool_size=pool_size,
        # Together with ``pool_size``, this is ``most_connections`` of models/session.py.
        max_overflow=pool_size,
        # The last one that was used: on both sides, its caches are still warm.
        pool_use_lifo=True,
        # A statement that commits by itself leaves nothing to roll back.
        skip_autocommit_rollback=True,
        pool_timeout=min(POOL_TIMEOUT_S, limits.answer_s or POOL_TIMEOUT_S),
        # Nothing is prepared unless the connection is direct. PgBouncer may give each transaction
        # another connection. A statement that was prepared on one is unknown on the next, and its
        # name is taken on a third.
        connect_args={
            "connect_timeout": limits.connect_s,
            "prepare_threshold": None,
            "keepalives_idle": KEEPALIVE_S,
        },
    )
    connector = _Connector(limits)
    event.listen(engine, "do_connect", connector.connect)
    event.listen(engine, "handle_error", connector.note_error)
    event.listen(engine, "checkout", _replace_if_closed)
    return engine


def _replace_if_closed(connection: Any, _record: Any, _proxy: Any) -> None:
    """Replace the pool's connections if the server has closed this one, as at a restart.

    Data that can be read before a request is the end of the connection, or the server's last error.
    This check takes no time; ``pool_pre_ping`` takes as long as a statement.
    """
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if poll.poll(0):
        raise InvalidatePoolError
