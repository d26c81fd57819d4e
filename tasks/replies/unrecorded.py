"""Replies that are not recorded: which there are, and how they are asked for again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from models import Reply, ReplyState
from tasks.replies.patience import GIVEN_UP

IS_GIVEN_UP = (Reply.state == ReplyState.RECEIVED, Reply.next_attempt_at == GIVEN_UP)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which replies that are not recorded are meant; None: whatever it is."""

    licence_id: str | None = None
    reason: str | None = None
    ids: Sequence[int] | None = None
    given_up: bool = False

    def rows(self) -> Select[Reply]:
        """Return the rows in the order in which they were received."""
        query = select(Reply).where(Reply.state == ReplyState.RECEIVED)
        if self.licence_id is not None:
            query = query.where(Reply.licence_id == self.licence_id)
        if self.reason is not None:
            query = query.where(Reply.reason == self.reason)
        if self.ids is not None:
            query = query.where(Reply.id.in_(self.ids))
        if self.given_up:
            query = query.where(*IS_GIVEN_UP)
        return query.order_by(Reply.id)


def find_unrecorded(session: Session, wanted: Wanted, *, limit: int) -> list[Reply]:
    """Return the replies that are meant, the newest ones if there are more than that."""
    newest = wanted.rows().order_by(None).order_by(Reply.id.desc()).limit(limit)
    return list(reversed(session.scalars(newest).all()))


def find_ids(session: Session, wanted: Wanted) -> list[tuple[int, str]]:
    """Return id and licence of the replies that are meant."""
    found = session.execute(wanted.rows().with_only_columns(Reply.id, Reply.licence_id))
    return [(reply_id, licence_id) for reply_id, licence_id in found]


def count_unrecorded(session: Session) -> Counter[tuple[str, bool]]:
    """Return how many replies are not recorded, by licence and whether they were given up."""
    is_given_up = Reply.next_attempt_at == GIVEN_UP
    rows = session.execute(
        select(Reply.licence_id, is_given_up, func.count())
        .where(Reply.state == ReplyState.RECEIVED)
        .group_by(Reply.licence_id, is_given_up)
    )
    return Counter({(licence_id, bool(given_up)): count for licence_id, given_up, count in rows})
