"""The posts that are to be marked: claimed by one worker at a time, and settled afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, case, null, select, update

from models import Database, Hint, Licence, Receipt, Reply, utc_now
from tasks.replies import rows
from tasks.replies.known_reply import KnownReply

# Few enough that several threads share a burst.
BATCH = 10
# What a worker has claimed is due again after this time, if it dies; to mark a post twice does no
# harm.
CLAIM = timedelta(seconds=10)
# A receipt is late, and its wake-up lost, when it has been due for this time.
GRACE = timedelta(seconds=1)
# In one sweep; the others' turn comes with the next one.
MAX_LICENCES = 500


@dataclass(frozen=True, slots=True)
class DueReceipt:
    """A post that is to be marked, as its row says; ``claim`` is the row's until it changes."""

    known: KnownReply
    claim: datetime


def claim_due_receipts(database: Database, licence_id: str) -> list[DueReceipt]:
    """Return posts of the licence that are to be marked, which other workers leave alone."""
    now = utc_now()
    due = (
        select(Reply.id)
        .where(Reply.receipt_due_at <= now, Reply.licence_id == licence_id)
        .order_by(Reply.receipt_due_at, Reply.id)
        .limit(BATCH)
    )
    with database.reading() as connection:
        if connection.execute(due.limit(1)).first() is None:
            return []
    with database.connection() as connection:
        ids = list(connection.scalars(due.with_for_update(skip_locked=True)))
        claimed = update(Reply).where(Reply.id.in_(ids)).values(receipt_due_at=now + CLAIM)
        connection.execute(claimed)
        return [DueReceipt(known, now + CLAIM) for known in rows.load(connection, ids)]


def settle(database: Database, done: Sequence[tuple[DueReceipt, Receipt | None]]) -> None:
    """Note which mark each of the posts has now; one whose row has changed meanwhile is due."""
    if not done:
        return
    is_as_it_was = Reply.receipt_due_at == bindparam("claim")
    change = (
        update(Reply.__table__)  # type: ignore[arg-type]
        .where(Reply.id == bindparam("reply_id"))
        .values(
            receipt=bindparam("given"),
            receipt_due_at=case((is_as_it_was, null()), else_=bindparam("now")),
        )
    )
    now = utc_now()
    values = [
        {"reply_id": due.known.id, "claim": due.claim, "given": given, "now": now}
        for due, given in done
    ]
    with database.connection() as connection:
        connection.execute(change, values)


def licences_with_late_receipts(database: Database) -> list[str]:
    """Return the licences that can be sent for, and have receipts or hints that are late."""
    since = utc_now() - GRACE
    receipts = select(Reply.licence_id).where(Reply.receipt_due_at <= since)
    hints = select(Hint.licence_id).where(Hint.due_at <= since)
    late = (
        select(Licence.id)
        .where(Licence.enabled, Licence.id.in_(receipts.union(hints)))
        .limit(MAX_LICENCES)
    )
    with database.reading() as connection:
        return list(connection.scalars(late))
