"""The posts that are due for a receipt: a worker claims them, and settles them afterwards."""

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
# If a worker dies, its claimed posts are due again after this time. A receipt that is given twice
# does no harm.
CLAIM = timedelta(seconds=10)
# A receipt that has been due for this time is late: its wake-up was lost.
GRACE = timedelta(seconds=1)
# The most licences that one sweep wakes; the next sweep wakes the others.
MAX_LICENCES = 500


@dataclass(frozen=True, slots=True)
class DueReceipt:
    """A post that is due for a receipt.

    ``known`` is its row when it was claimed, and ``claim`` the time that the claim wrote into
    ``receipt_due_at``. Another time there means that the row has changed since.
    """

    known: KnownReply
    claim: datetime


def claim_due_receipts(database: Database, licence_id: str) -> list[DueReceipt]:
    """Claim posts of the licence that are due for a receipt, and return them."""
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
    """Note which receipt each post has now; a post whose row has changed meanwhile is due again."""
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
    """Return the enabled licences that have late receipts or hints."""
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
