"""Find and count replies that are not recorded, for the operator's commands."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from models import Reply, ReplyState
from tasks.replies.backoff import GIVEN_UP
from tasks.watch.filter import Filter, newest

IS_UNRECORDED = Reply.state == ReplyState.RECEIVED
IS_GIVEN_UP = (IS_UNRECORDED, Reply.next_attempt_at == GIVEN_UP)


def find_unrecorded(session: Session, wanted: Filter, *, limit: int, given_up: bool) -> list[Reply]:
    """Return the wanted replies; if there are more than ``limit``, the newest of them."""
    return newest(session, _rows(wanted, given_up=given_up), Reply, limit=limit)


def find_unrecorded_ids(
    session: Session, wanted: Filter, *, given_up: bool
) -> list[tuple[int, str]]:
    """Return id and licence of the wanted replies."""
    rows = _rows(wanted, given_up=given_up)
    found = session.execute(rows.with_only_columns(Reply.id, Reply.licence_id))
    return [(reply_id, licence_id) for reply_id, licence_id in found]


def _rows(wanted: Filter, *, given_up: bool) -> Select[Reply]:
    return wanted.rows(Reply, *(IS_GIVEN_UP if given_up else (IS_UNRECORDED,)))


def count_unrecorded(session: Session) -> Counter[tuple[str, bool]]:
    """Return how many replies are not recorded, by licence and whether they were given up."""
    is_given_up = Reply.next_attempt_at == GIVEN_UP
    rows = session.execute(
        select(Reply.licence_id, is_given_up, func.count())
        .where(Reply.state == ReplyState.RECEIVED)
        .group_by(Reply.licence_id, is_given_up)
    )
    return Counter({(licence_id, bool(given_up)): count for licence_id, given_up, count in rows})
