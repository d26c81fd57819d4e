"""Long work on the tables in short transactions, between which others get their turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import ColumnElement, Executable, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.session import Database

_Result = TypeVar("_Result")

# SQLite has one writer: what a transaction takes, a message waits. A third of the 100 ms that are
# promised, since the next rows may lie on pages that are not in memory.
AIM_S = 0.03
FIRST_ROWS = 20
MOST_ROWS = 100
# Rows that are looked through at once, without a lock.
PAGE = 2_000


class Steps:
    """Transactions of as many rows as take ``AIM_S``, and after each a pause of the same length.

    ``longest_s`` is the longest that one has held its locks. After ``budget_s`` (None: without
    limit), or when ``is_stopping`` says so, the work is over. ``on_step`` is called before each.
    """

    def __init__(
        self,
        database: Database,
        *,
        budget_s: float | None = None,
        is_stopping: Callable[[], bool] = lambda: False,
        on_step: Callable[[], None] = lambda: None,
    ) -> None:
        self.database = database
        self.rows = FIRST_ROWS
        self.longest_s = 0.0
        self._ends_at = None if budget_s is None else time.monotonic() + budget_s
        self._is_stopping = is_stopping
        self._on_step = on_step

    @property
    def is_over(self) -> bool:
        """Whether the rest is left to the next time."""
        is_late = self._ends_at is not None and time.monotonic() >= self._ends_at
        return is_late or self._is_stopping()

    def execute(self, statement: Executable) -> int:
        """Run one statement as a transaction of its own; return how many rows it has changed.

        The database has its locks for the work alone: none of this process's threads, which may
        all want to run, comes between the statement and its commit.
        """
        self._on_step()
        with self.database.autocommit() as connection:
            began = time.monotonic()
            changed = connection.execute(statement).rowcount
            took_s = time.monotonic() - began
        self._adapt(took_s)
        return changed

    def write(self, work: Callable[[Session], _Result]) -> _Result:
        """Return what the work returns, which is a transaction of its own."""
        self._on_step()
        with self.database.transaction() as session:
            # From here on others wait: on SQLite the connection comes with the write lock.
            session.connection()
            began = time.monotonic()
            result = work(session)
        self._adapt(time.monotonic() - began)
        return result

    def portions(self, ids: Sequence[int]) -> Iterator[Sequence[int]]:
        """Yield the ids in portions for a transaction each, until the work is over."""
        start = 0
        while start < len(ids) and not self.is_over:
            portion = ids[start : start + self.rows]
            start += len(portion)
            yield portion

    def _adapt(self, took_s: float) -> None:
        self.longest_s = max(self.longest_s, took_s)
        if took_s > AIM_S:
            self.rows = max(1, int(self.rows * AIM_S / took_s))
        elif took_s < AIM_S / 2:
            self.rows = min(MOST_ROWS, self.rows * 2)
        # SQLite's writers ask again after a sleep: without a pause they would hardly get between.
        time.sleep(min(took_s, AIM_S))


@dataclass(frozen=True, slots=True)
class Expiry:
    """Which rows of a table may go, of those in which ``moment`` grows with ``id``.

    ``may_go`` is looked at once more by the statement that removes them.
    """

    id: InstrumentedAttribute[int]
    moment: InstrumentedAttribute[datetime]
    may_go: ColumnElement[bool]


def expired(database: Database, expiry: Expiry, *, before: datetime) -> Iterator[list[int]]:
    """Yield the ids of rows that may go, page by page, the oldest first.

    It ends at the first page that has nothing older than ``before``, so that it takes no index
    but that of the ids, which every table has.
    """
    last = 0
    columns = (expiry.id, expiry.moment, expiry.may_go.label("may_go"))
    while True:
        page = select(*columns).where(expiry.id > last).order_by(expiry.id).limit(PAGE)
        with database.snapshot() as session:
            rows = session.execute(page).all()
        if not rows or all(moment >= before for _, moment, _ in rows):
            return
        last = rows[-1][0]
        if ids := [row_id for row_id, _, may_go in rows if may_go]:
            yield ids
