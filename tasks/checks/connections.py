"""The check whether PostgreSQL takes as many connections as the processes may open."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from celery import Celery
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from models import Database
from models.limits import within
from models.session import WEB_THREADS, most_connections
from tasks.checks.broker import NO_BROKER
from tasks.checks.check import Check, passed, skipped, warned
from tasks.checks.installation import DATABASE_WITHIN_S
from tasks.checks.workers import inspecting
from tasks.licences.shares import THREADS_PER_MESSAGE

NAME = "database connections"
# The connections of one command; the doctor opens the most.
COMMAND_CONNECTIONS = 5

# The limit of a role or a database is -1 if there is none. Reserved connections are not for us.
_ROOM = text(
    """
    SELECT least(
      (SELECT sum(CASE name WHEN 'max_connections' THEN 1 ELSE -1 END * setting::bigint)
         FROM pg_settings
        WHERE name IN ('max_connections', 'reserved_connections',
                       'superuser_reserved_connections')),
      (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user),
      (SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database())
    ), pg_backend_pid()
    """
)


def messages_at_once(app: Celery) -> list[int] | None:
    """Return how many messages each answering worker sends at once; None: the broker is down."""
    try:
        with inspecting(app) as inspect:
            return [_threads(stats) for stats in (inspect.stats() or {}).values()]
    except (BrokerError, RedisError):
        return None


def _threads(stats: Any) -> int:
    # A worker has this many threads for each message that it sends at once.
    return int(max(1, stats.get("pool", {}).get("max-concurrency", 0) // THREADS_PER_MESSAGE))


def connections_needed(workers: Iterable[int]) -> int:
    """Return how many connections these workers, one web process and one command may open."""
    return sum(most_connections(each) for each in (*workers, WEB_THREADS)) + COMMAND_CONNECTIONS


def check_connections(database: Database, workers: list[int] | None) -> Check:
    """Compare PostgreSQL's limit with the connections that our processes may open.

    ``workers`` is the result of ``messages_at_once``. One web process and one command are added.
    """
    if workers is None:
        return skipped(NAME, NO_BROKER)
    try:
        with within(DATABASE_WITHIN_S), database.reading() as connection:
            room, server_pid = connection.execute(_ROOM).one()
            driver = connection.connection.dbapi_connection
            is_direct = driver is not None and driver.info.backend_pid == server_pid
    except SQLAlchemyError:
        return skipped(NAME, "the database does not answer")
    need = connections_needed(workers)
    may_open = f"workers ({len(workers)}), one web and a command may open {need} connections"
    if not is_direct:
        return passed(NAME, f"{may_open}; a pooler is in between, whose max_client_conn counts")
    if need > room:
        return warned(
            NAME,
            f"{may_open}, and PostgreSQL takes {room}: at the limit work waits",
            "Raise max_connections (or the limit of the role or the database), or put PgBouncer "
            "in between: see Scale out in docs/operating.md.",
        )
    return passed(NAME, f"{may_open}, and PostgreSQL takes {room}")
