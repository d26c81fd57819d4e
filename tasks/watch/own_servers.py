"""Find out whether an error comes from one of our own servers: the database or Redis."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    ProgrammingError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

# An error of Redis begins with a word for its kind; the text behind the word may hold any data.
_WORDS = {
    "OOM": "it is full: raise maxmemory",
    "READONLY": "it is a replica, or was made one: point REDIS_URL at the primary",
    "NOREPLICAS": "it has fewer replicas than min-replicas-to-write asks for",
    "MISCONF": "it cannot write its file: look at its disk",
    "LOADING": "it is still reading its file",
    "MASTERDOWN": "it is a replica whose primary is away",
    "UNBLOCKED": "it was made a replica",
    "NOPERM": "its user may not do what is asked",
}
_WORD = re.compile(r"\b(" + "|".join(_WORDS) + r")\b")
# For these errors redis-py leaves out the word, so a part of its text identifies them.
_TEXTS = {"maxmemory": "OOM", "read only replica": "READONLY"}
# These errors are about the statement, not about the server.
_OF_A_STATEMENT = (DataError, IntegrityError, ProgrammingError)


@dataclass(frozen=True, slots=True)
class ServerTrouble:
    """Which of our servers does not work, and why, without the error's own text."""

    server: str
    why: str


def trouble_of(error: BaseException) -> ServerTrouble | None:
    """Return what is wrong with one of our servers; None: the error is about neither."""
    if isinstance(error, PoolTimeoutError):
        return ServerTrouble("database", "no connection of the pool came free")
    if isinstance(error, DBAPIError) and (
        error.connection_invalidated or not isinstance(error, _OF_A_STATEMENT)
    ):
        return ServerTrouble("database", type(error.orig).__name__)
    if isinstance(error, RedisConnectionError | RedisTimeoutError | BrokerError):
        return ServerTrouble("redis", type(error).__name__)
    if isinstance(error, RedisError) and (word := _word(str(error))):
        return ServerTrouble("redis", _WORDS[word])
    return None


def _word(text: str) -> str | None:
    found = _WORD.search(text)
    if found:
        return found[1]
    return next((word for part, word in _TEXTS.items() if part in text), None)


def first_line(error: SQLAlchemyError) -> str:
    """Return the first line of the database's error, without the statement."""
    said = str(error.orig).strip() if isinstance(error, DBAPIError) else ""
    return said.partition("\n")[0] or type(error).__name__
