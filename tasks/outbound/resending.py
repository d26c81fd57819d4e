"""Failed messages: find them, send them again, or discard their payloads, for an operator."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import func, null, select, update
from sqlalchemy.orm import Session

from ireserve_mattermost.lane import CORRELATION_ID
from ireserve_mattermost.lanes import LOCK_S, HeldLock, Lane, LaneEntry, Lanes
from models import Database, Delivery, DeliveryState, Licence
from tasks.failures import IN_DOUBT, OwnReason
from tasks.mattermost import Reason
from tasks.watch.filter import Filter, newest

# How long to wait for a lane: a worker unlocks a lane in between, and a dead worker's lock ends
# after LOCK_S.
LOCK_WAIT_S = LOCK_S + 5.0
POLL_S = 0.05

# Reasons of failures before a request was sent. The detail says whether an earlier attempt may have
# left posts.
BEFORE_SENDING = frozenset(
    {
        OwnReason.INVALID_ARGUMENTS,
        OwnReason.LICENCE_UNKNOWN,
        OwnReason.LICENCE_DISABLED,
        OwnReason.TOKEN_UNREADABLE,
        Reason.UNREACHABLE,
        Reason.TLS_FAILED,
    }
)


class LaneBusyError(Exception):
    """A worker is sending from this lane and did not unlock it in time."""


HAS_FAILED = Delivery.state == DeliveryState.FAILED
# A message without its payload, which was discarded or removed after a time, cannot be sent again.
CAN_BE_RESENT = (HAS_FAILED, Delivery.payload.is_not(None))


def find_failed(
    session: Session, wanted: Filter, *, limit: int, with_payload: bool = True
) -> list[Delivery]:
    """Return the newest ``limit`` failed messages that match the filter."""
    rows = wanted.rows(Delivery, *(CAN_BE_RESENT if with_payload else (HAS_FAILED,)))
    return newest(session, rows, Delivery, limit=limit)


def find_failed_ids(session: Session, wanted: Filter) -> list[int]:
    """Return the ids of messages that match the filter and can be sent again, in order."""
    rows = wanted.rows(Delivery, *CAN_BE_RESENT)
    return list(session.scalars(rows.with_only_columns(Delivery.id)))


def count_of_unregistered(session: Session) -> dict[str, int]:
    """Return the number of failed messages by licence, for licences that are not registered."""
    rows = (
        select(Delivery.licence_id, func.count())
        .where(*CAN_BE_RESENT, Delivery.licence_id.not_in(select(Licence.id)))
        .group_by(Delivery.licence_id)
        .order_by(Delivery.licence_id)
    )
    counts: dict[str, int] = {}
    for licence_id, count in session.execute(rows):
        counts[licence_id] = count
    return counts


def cure_of(reason: str | None) -> str:
    """Return what the operator must do about a reason in the ledger; "": the reason is unknown."""
    for reasons in (Reason, OwnReason):
        if reason in {known.value for known in reasons}:
            return reasons(reason).cure
    return ""


def why_not(session: Session, delivery_id: int, licence_id: str) -> str | None:
    """Return why a message of the licence cannot be sent again; None: it can be sent."""
    row = session.get(Delivery, delivery_id)
    if row is None or row.licence_id != licence_id:
        return f"there is no such message of licence {licence_id!r}"
    if row.state is not DeliveryState.FAILED:
        return f"it has not failed: it is {row.state.value}"
    if row.payload is None:
        return "its payload was forgotten: enqueue it in i-Reserve again"
    return None


def send_again(database: Database, lanes: Lanes, delivery_id: int) -> Lane | None:
    """Put a failed message at the end of its lane, to be sent like a new one; return the lane.

    A worker first looks for the message in Mattermost, unless no request for it was ever sent.
    None: the message has not failed, or has no payload any more. No worker is woken: see
    ``tasks.wake``.

    Raises:
        LaneBusyError: a worker is sending from the lane; nothing was changed.
    """
    with database.snapshot() as session:
        row = session.get(Delivery, delivery_id)
    if row is None:
        return None
    lane = Lane.parse(row.lane)
    # The lock keeps workers out between the two writes. A worker would treat an entry whose row
    # still says "failed" as a duplicate. A row that says "sending" without an entry would be stuck.
    with lock_lane(lanes, lane), database.transaction() as session:
        locked = Filter(ids=[delivery_id]).rows(Delivery, *CAN_BE_RESENT).with_for_update()
        row = session.scalar(locked)
        if row is None or row.payload is None:
            return None
        lanes.append(lane, _entry_of(row, row.payload))
        _reopen(session, row)
    return lane


def _entry_of(row: Delivery, payload: dict[str, Any]) -> LaneEntry:
    """Return the message as it was enqueued, so that the log continues with the same id."""
    given = row.caller_correlation_id
    context = {CORRELATION_ID: given} if given else {}
    return LaneEntry(row.kind.value, row.key, row.task_id or "", payload, context=context)


def _reopen(session: Session, row: Delivery) -> None:
    if not row.kind.is_message:
        # A change of a user or of a conversation has a row in the ledger only if it failed.
        session.delete(row)
        return
    row.state = DeliveryState.HELD if _was_never_sent(row) else DeliveryState.SENDING
    row.finished_at = None


def _was_never_sent(row: Delivery) -> bool:
    """Return whether no part of the message can be in Mattermost."""
    detail = row.detail or ""
    in_doubt = row.post_count > 0 or any(words in detail for words in IN_DOUBT)
    return row.reason in BEFORE_SENDING and not in_doubt


@contextmanager
def lock_lane(lanes: Lanes, lane: Lane, *, wait_s: float = LOCK_WAIT_S) -> Iterator[HeldLock]:
    """Lock the lane so that no worker sends from it meanwhile.

    Raises:
        LaneBusyError: another process holds the lock for longer than ``wait_s``.
    """
    deadline = time.monotonic() + wait_s
    while True:
        with lanes.try_lock(lane) as lock:
            if lock is not None:
                yield lock
                return
        if time.monotonic() > deadline:
            raise LaneBusyError(
                f"a worker is sending from lane {lane}: try again when its server answers"
            )
        time.sleep(POLL_S)


def discard_payloads(session: Session, licence_id: str, ids: Sequence[int]) -> list[int]:
    """Remove the payloads of these failed messages; return the ids of those that had one."""
    gone = session.scalars(
        update(Delivery)
        .where(Delivery.id.in_(ids), Delivery.licence_id == licence_id, *CAN_BE_RESENT)
        .values(payload=null())
        .returning(Delivery.id)
    )
    return sorted(gone)
