"""Long work on the tables in short transactions, so that other writers get their turn."""

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

# SQLite has one writer, so a message waits for the whole transaction. This is a third of the
# promised 100 ms, because the next rows may be on pages that are not in memory.
AIM_S = 0.03
FIRST_ROWS = 20
MAX_ROWS = 100
# Rows that one query reads, without a lock.
PAGE = 2_000


class Steps:
    """Runs transactions that each take about ``AIM_S``, with a pause of that length after each.

    ``rows`` is the number of rows for the next transaction. ``longest_s`` is the longest time that
    a transaction has held its locks. The work is over after ``budget_s`` (None: no limit), or when
    ``is_stopping`` returns True. ``on_step`` is called before each transaction.
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
        """Whether to stop here and leave the rest to the next run."""
        is_late = self._ends_at is not None and time.monotonic() >= self._ends_at
        return is_late or self._is_stopping()

    def execute(self, statement: Executable) -> int:
        """Run one statement as a transaction of its own; return how many rows it has changed.

        The database commits the statement itself, so no other thread of this process can run
        between statement and commit and prolong the locks.
        """
        self._on_step()
        with self.database.autocommit() as connection:
            began = time.monotonic()
            changed = connection.execute(statement).rowcount
            took_s = time.monotonic() - began
        self._adapt(took_s)
        return changed

    def write(self, work: Callable[[Session], _Result]) -> _Result:
        """Run the work as a transaction of its own; return its result."""
        self._on_step()
        with self.database.transaction() as session:
            # Other writers wait from here on, because connecting takes the write lock on SQLite.
            session.connection()
            began = time.monotonic()
            result = work(session)
        self._adapt(time.monotonic() - began)
        return result

    def portions(self, ids: Sequence[int]) -> Iterator[Sequence[int]]:
        """Yield the ids in portions, one for each transaction, until the work is over."""
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
            self.rows = min(MAX_ROWS, self.rows * 2)
        # SQLite's writers poll, and without a pause they would hardly ever get the lock.
        time.sleep(min(took_s, AIM_S))


@dataclass(frozen=True, slots=True)
class Expiry:
    """Which rows of a table may be removed; ``moment`` must grow with ``id``.

    The statement that removes the rows checks ``may_go`` once more.
    """

    id: InstrumentedAttribute[int]
    moment: InstrumentedAttribute[datetime]
    may_go: ColumnElement[bool]


def expired(database: Database, expiry: Expiry, *, before: datetime) -> Iterator[list[int]]:
    """Yield the ids of rows that may be removed, page by page, the oldest first.

    The search ends at the first page without a row older than ``before``. So it needs only the
    index of the ids, which every table has.
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
