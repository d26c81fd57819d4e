"""Numbers of replies, which are never given out twice.

i-Reserve tells replies apart by them. A database counts on from what it has: after an erasure
SQLite gives the newest numbers again, and after a backup was restored every database does. So a
number begins with the millisecond in which it is given, and ends with the database's own count,
which keeps those of one moment apart. It has 53 bits at the most until 2095, so that every
language holds it.
"""

from __future__ import annotations

import time
from threading import Lock
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Sequence, Table, bindparam, func, select

# The parameter that holds the moment.
MOMENT = "moment_ms"
# 2026-01-01, in Unix milliseconds.
_EPOCH_MS = 1_767_225_600_000
# As many numbers as one millisecond has.
_COUNT = 4_096
_SEQUENCE = Sequence("replies_id_seq")


def next_id(replies: Table, dialect: str) -> ColumnElement[int]:
    """Return the expression that gives the next number.

    SQLite writes one statement after the other, so that its highest number is a count; it is the
    same for each row of a statement, where the row's place is to be added.
    """
    moment = bindparam(MOMENT, type_=BigInteger) * _COUNT
    if dialect == "postgresql":
        return moment + _SEQUENCE.next_value() % _COUNT
    highest = select(func.coalesce(func.max(replies.c.id), 0)).scalar_subquery()
    return moment + (highest + 1) % _COUNT


def this_moment(*, rows: int = 1) -> dict[str, Any]:
    """Return the parameter for a statement with that many rows."""
    return {MOMENT: _moments.take(1 + rows // _COUNT)}


class _Moments:
    """Milliseconds, each given out once, also where many statements come within one."""

    def __init__(self) -> None:
        self._next = 0
        self._mutex = Lock()

    def take(self, count: int) -> int:
        """Return the first of as many."""
        with self._mutex:
            first = max(self._next, time.time_ns() // 1_000_000 - _EPOCH_MS)
            self._next = first + count
        return first


_moments = _Moments()
