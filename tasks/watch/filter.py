"""The operator's filter for messages of the ledger and replies of the inbox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from models import Delivery, Reply

Row = TypeVar("Row", Delivery, Reply)

# The column that ``since`` is compared with.
_MOMENTS = {Delivery: Delivery.finished_at, Reply: Reply.received_at}


@dataclass(frozen=True, slots=True)
class Filter:
    """What the wanted rows have in common; None: any value."""

    licence_id: str | None = None
    since: datetime | None = None
    reason: str | None = None
    ids: Sequence[int] | None = None

    def rows(self, table: type[Row], *where: ColumnElement[bool]) -> Select[Row]:
        """Return the query for the matching rows of the table, in the order of their ids."""
        query = select(table).where(*where).order_by(table.id)
        if self.licence_id is not None:
            query = query.where(table.licence_id == self.licence_id)
        if self.since is not None:
            query = query.where(_MOMENTS[table] >= self.since)
        if self.reason is not None:
            query = query.where(table.reason == self.reason)
        return query if self.ids is None else query.where(table.id.in_(self.ids))


def newest(session: Session, query: Select[Row], table: type[Row], *, limit: int) -> list[Row]:
    """Return the newest of these rows, at most ``limit``, the newest last."""
    found = session.scalars(query.order_by(None).order_by(table.id.desc()).limit(limit))
    return list(reversed(found.all()))
