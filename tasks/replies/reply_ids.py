"""Ids of replies, of which none is ever used twice.

i-Reserve knows a reply by its id. A database's own count may repeat ids: SQLite's after an erasure,
and every database's after a backup was restored. So an id is the millisecond in which it is made,
followed by the database's count, which keeps ids of one millisecond apart. Until 2095 an id has at
most 53 bits, so that every language can hold it.
"""

from __future__ import annotations

import time
from threading import Lock
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Sequence, Table, bindparam, func, select

# The name of the parameter with the millisecond.
MOMENT = "moment_ms"
# 2026-01-01, in Unix milliseconds.
_EPOCH_MS = 1_767_225_600_000
# The number of ids in one millisecond.
_COUNT = 4_096
_SEQUENCE = Sequence("replies_id_seq")


def next_id(replies: Table, dialect: str) -> ColumnElement[int]:
    """Return the expression for the next id.

    SQLite runs one write at a time, so its highest id serves as a count. There the id is the same
    for each row of a statement, and the caller adds the row's place.
    """
    moment = bindparam(MOMENT, type_=BigInteger) * _COUNT
    if dialect == "postgresql":
        return moment + _SEQUENCE.next_value() % _COUNT
    highest = select(func.coalesce(func.max(replies.c.id), 0)).scalar_subquery()
    return moment + (highest + 1) % _COUNT


def this_moment(*, rows: int = 1) -> dict[str, Any]:
    """Return the parameter that a statement for this many rows needs."""
    return {MOMENT: _moments.take(1 + rows // _COUNT)}


class _Moments:
    """Milliseconds, of which each is given out once, even if statements come faster."""

    def __init__(self) -> None:
        self._next = 0
        self._mutex = Lock()

    def take(self, count: int) -> int:
        """Return the first of this many milliseconds."""
        with self._mutex:
            first = max(self._next, time.time_ns() // 1_000_000 - _EPOCH_MS)
            self._next = first + count
        return first


_moments = _Moments()
