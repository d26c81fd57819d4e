"""What we say about an error of our own database or Redis, without the error's own text."""

from __future__ import annotations

import psycopg
import pytest
from kombu.exceptions import OperationalError as BrokerError
from psycopg.errors import DuplicatePreparedStatement
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import OutOfMemoryError, ReadOnlyError, ResponseError
from sqlalchemy.exc import DataError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from tasks.watch.own_servers import trouble_of

SECRET = "geheim"
REFUSED = psycopg.OperationalError(f"connection to {SECRET} refused")


@pytest.mark.parametrize(
    ("error", "server", "why"),
    [
        (OperationalError(SECRET, {}, REFUSED), "database", "OperationalError"),
        (
            ProgrammingError(SECRET, {}, DuplicatePreparedStatement(), connection_invalidated=True),
            "database",
            "DuplicatePreparedStatement",
        ),
        (PoolTimeoutError(SECRET), "database", "pool"),
        (RedisConnectionError(SECRET), "redis", "ConnectionError"),
        (BrokerError(SECRET), "redis", "OperationalError"),
        (OutOfMemoryError("command not allowed when used memory > 'maxmemory'."), "redis", "full"),
        (ReadOnlyError("You can't write against a read only replica."), "redis", "replica"),
        (ResponseError(f"UNBLOCKED force unblock {SECRET}"), "redis", "replica"),
        (ResponseError("NOREPLICAS Not enough good replicas to write."), "redis", "replicas"),
        (ResponseError("Error running script: -MISCONF Redis is configured"), "redis", "disk"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value,
)
def test_server_that_does_not_work_is_named(error: Exception, server: str, why: str) -> None:
    """The trouble names the server and why it does not work, without the error's own text."""
    trouble = trouble_of(error)

    assert trouble is not None
    assert trouble.server == server
    assert why in trouble.why
    assert SECRET not in trouble.why


@pytest.mark.parametrize(
    "error",
    [DataError(SECRET, {}, psycopg.DataError()), ResponseError("WRONGTYPE"), ValueError(SECRET)],
    ids=lambda error: type(error).__name__,
)
def test_error_of_another_kind_names_no_server(error: Exception) -> None:
    """An error of another kind names no server."""
    assert trouble_of(error) is None
