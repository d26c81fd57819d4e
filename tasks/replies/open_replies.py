"""Open replies, those that still need something: find those that are due, and wake workers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Select, or_, select, update
from sqlalchemy.orm import Session

from models import Database, Reply, ReplyState, utc_now
from tasks.runtime import Runtime
from tasks.wake import wake_replies

# Few enough that several workers share a burst.
BATCH = 50
# As many as a worker resolves between two sweeps; the next sweep wakes the others.
REPLIES_PER_SWEEP = 500
# A batch gets no second wake-up within this time, so that wake-ups do not pile up in the queue
# while all workers are busy.
WAKE_AGAIN = timedelta(seconds=30)
# An index of the table has these rows alone.
IS_OPEN = or_(Reply.state == ReplyState.RECEIVED, Reply.pending_event.is_not(None))


def wake_open_replies(runtime: Runtime) -> int:
    """Publish wake-ups for replies that are due; return for how many.

    If the broker is down, the replies are due again after ``WAKE_AGAIN``.
    """
    due = claim_due(runtime.database, limit=REPLIES_PER_SWEEP)
    woken = 0
    for licence_id, reply_ids in batches(due):
        if not wake_replies(reply_ids, licence_ids=[licence_id]):
            break
        woken += len(reply_ids)
    return woken


def claim_due(
    database: Database, *, limit: int, licence_id: str | None = None
) -> list[tuple[int, str]]:
    """Return id and licence of replies that are due, claimed; locks nothing if there are none."""
    with database.reading() as connection:
        if connection.execute(_due(licence_id).limit(1)).first() is None:
            return []
    with database.transaction() as session:
        return claim(session, limit=limit, licence_id=licence_id)


def claim(session: Session, *, limit: int, licence_id: str | None = None) -> list[tuple[int, str]]:
    """Return id and licence of replies that are due; other workers skip them for 30 s."""
    # SQLite has one writer at a time and needs no lock for a row.
    chosen = _due(licence_id).order_by(Reply.next_attempt_at, Reply.id).limit(limit)
    found = session.execute(chosen.with_for_update(skip_locked=True))
    rows = [(reply_id, whose) for reply_id, whose in found]
    set_next_attempt(session, [reply_id for reply_id, _ in rows], after=WAKE_AGAIN)
    return rows


def set_next_attempt(session: Session, reply_ids: Sequence[int], *, after: timedelta) -> None:
    """Have the sweep skip these replies for that time."""
    if not reply_ids:
        return
    session.execute(
        update(Reply).where(Reply.id.in_(reply_ids)).values(next_attempt_at=utc_now() + after)
    )


def _due(licence_id: str | None) -> Select[int, str]:
    due = select(Reply.id, Reply.licence_id).where(IS_OPEN, Reply.next_attempt_at <= utc_now())
    return due if licence_id is None else due.where(Reply.licence_id == licence_id)


def batches(due: Sequence[tuple[int, str]]) -> list[tuple[str, list[int]]]:
    """Return the ids in batches of one licence each, so a slow server holds up only its own."""
    by_licence: defaultdict[str, list[int]] = defaultdict(list)
    for reply_id, licence_id in due:
        by_licence[licence_id].append(reply_id)
    return [
        (licence_id, ids[start : start + BATCH])
        for licence_id, ids in by_licence.items()
        for start in range(0, len(ids), BATCH)
    ]
