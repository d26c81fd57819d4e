"""The engine for PostgreSQL: connections that end by our own clock, behind a pooler as well."""

from __future__ import annotations

import select
import time
from collections.abc import Generator
from typing import Any

import psycopg
import structlog
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import InvalidatePoolError

from models.limits import Limits, answer_by

log = structlog.get_logger(__name__)

# How long a thread waits for a connection of the pool, unless its answers are due earlier.
POOL_TIMEOUT_S = 10
# What PgBouncer says of options that it does not pass on.
_NOT_PASSED_ON = "unsupported startup parameter"


class BoundedConnection(psycopg.Connection[Any]):
    """A connection that is closed when an answer does not come in time.

    PostgreSQL's own limits need a server that runs, and the kernel's (``tcp_user_timeout``) one
    that is gone: the kernel of a server that is stopped takes every byte. psycopg looks up from
    its wait every 0.1 s, and then the time is looked at too.
    """

    answer_limit: _AnswerLimit | None = None

    def wait(self, gen: Generator[Any, Any, Any], *args: Any, **kwargs: Any) -> Any:
        """Wait for what ``gen`` asks.

        Raises:
            psycopg.OperationalError: no answer in time, and the connection is closed; or another
                question has had none just now, and this one is not asked.
        """
        ends_at = self.answer_limit.ends_at() if self.answer_limit else None
        return super().wait(gen if ends_at is None else self._until(ends_at, gen), *args, **kwargs)

    def _until(self, ends_at: float, gen: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        try:
            awaited = next(gen)
            while True:
                ready = yield awaited
                if not ready and time.monotonic() > ends_at:
                    # The answer may still come, and would be taken for that of the next question.
                    self.pgconn.finish()
                    assert self.answer_limit is not None
                    self.answer_limit.note_silence()
                    raise psycopg.OperationalError("the database did not answer in time")
                awaited = gen.send(ready)
        except StopIteration as end:
            return end.value


class _AnswerLimit:
    """How long the connections of an engine wait, and whether one of them has waited in vain."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._silent_until = 0.0

    def ends_at(self) -> float | None:
        """Return when the answer to what is asked now must be there; None: there is no limit.

        Raises:
            psycopg.OperationalError: the server stands still, and nothing is asked.
        """
        if time.monotonic() < self._silent_until:
            raise psycopg.OperationalError("the database has just left another question unanswered")
        return answer_by(self._limits)

    def note_silence(self) -> None:
        """Note that a question was not answered in time."""
        self._silent_until = time.monotonic() + self._limits.rest_s


class _Connector:
    """Makes an engine's connections, with the server's limits where these are taken."""

    def __init__(self, limits: Limits) -> None:
        self._answer_limit = _AnswerLimit(limits)
        self._options = limits.server_options()

    def connect(self, _dialect: Any, _record: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        """Return a connection; SQLAlchemy asks for each."""
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
        return connection

    def _with_options(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        # What DATABASE_URL says comes last, and so it holds.
        options = f"{self._options} {kwargs.get('options', '')}".strip()
        return {**kwargs, "options": options} if options else kwargs


def create_postgres_engine(url: URL, *, pool_size: int, limits: Limits) -> Engine:
    """Return an engine; nothing connects yet."""
    engine = create_engine(
        url,
        # Errors must not show parameters: they are names and message texts.
        hide_parameters=True,
        pool_size=pool_size,
        # Together ``most_connections`` of models/session.py.
        max_overflow=pool_size,
        pool_timeout=min(POOL_TIMEOUT_S, limits.answer_s or POOL_TIMEOUT_S),
        # Behind a pool that gives each transaction another connection (PgBouncer), a statement that
        # was prepared on one is unknown on the next, and its name taken on a third.
        connect_args={"connect_timeout": limits.connect_s, "prepare_threshold": None},
    )
    event.listen(engine, "do_connect", _Connector(limits).connect)
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
