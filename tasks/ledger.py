"""The ledger's transitions: begin, finish, set aside. Each caller brings its transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import Delivery, DeliveryKind, DeliveryState, utc_now
from tasks.lanes import Lane

# What a message looked like before this attempt when nobody had begun it.
NEW = None


@dataclass(frozen=True, slots=True)
class Begun:
    """A message whose row says ``sending`` now, and what the row said before."""

    id: int
    before: DeliveryState | None
    reason: str | None
    started_at: datetime
    # How many of its posts were known to be there when it was set aside.
    post_count: int = 0

    @property
    def must_look(self) -> bool:
        """Say whether the message may be in Mattermost already."""
        return self.before not in {NEW, DeliveryState.HELD}

    @property
    def is_unsettled(self) -> bool:
        """Say whether it was sent off and only the answer was lost: it is not sent again."""
        return self.before is DeliveryState.UNSETTLED


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of a message: its first post and how many there are."""

    post_id: str
    post_count: int = 1


def find(session: Session, lane: Lane, key: str) -> Delivery | None:
    """Return the row of the message with this key in its lane."""
    return session.scalar(select(Delivery).where(Delivery.lane == str(lane), Delivery.key == key))


def begin(
    session: Session,
    row: Delivery | None,
    *,
    lane: Lane,
    kind: DeliveryKind,
    key: str,
    task_id: str,
    enqueued_at_ms: int,
) -> Begun:
    """Write down that the message is being sent; ``row`` is what ``find`` returned."""
    if row is None:
        row = _new_row(lane, kind, key, task_id, enqueued_at_ms)
        session.add(row)
        session.flush()
        return Begun(row.id, NEW, None, row.started_at)
    begun = Begun(row.id, row.state, row.reason, row.started_at, row.post_count)
    row.state = DeliveryState.SENDING
    row.finished_at = None
    return begun


def _new_row(
    lane: Lane, kind: DeliveryKind, key: str, task_id: str, enqueued_at_ms: int
) -> Delivery:
    return Delivery(
        licence_id=lane.licence_id,
        lane=str(lane),
        key=key,
        kind=kind,
        state=DeliveryState.SENDING,
        task_id=task_id,
        enqueued_at=datetime.fromtimestamp(enqueued_at_ms / 1_000, UTC),
        started_at=utc_now(),
    )


def mark_sent(session: Session, delivery_id: int, *, channel_id: str, posted: Posted) -> None:
    """Note that the message is in Mattermost; its payload is not needed any more."""
    _update(
        session,
        delivery_id,
        state=DeliveryState.SENT,
        reason=None,
        detail=None,
        payload=None,
        channel_id=channel_id,
        post_id=posted.post_id,
        post_count=posted.post_count,
        finished_at=utc_now(),
    )


def mark_failed(
    session: Session, delivery_id: int, *, reason: str, detail: str, payload: dict[str, Any] | None
) -> None:
    """Note that the message was not sent and will not be, and keep what was enqueued."""
    _update(
        session,
        delivery_id,
        state=DeliveryState.FAILED,
        reason=reason,
        detail=detail,
        payload=payload,
        finished_at=utc_now(),
    )


def mark_skipped(session: Session, delivery_id: int, *, reason: StrEnum) -> None:
    """Note that the message was not to be sent, and why."""
    _update(
        session,
        delivery_id,
        state=DeliveryState.SKIPPED,
        reason=reason.value,
        finished_at=utc_now(),
    )


def set_aside(
    session: Session,
    delivery_id: int,
    *,
    state: DeliveryState,
    reason: str,
    detail: str,
    post_count: int,
) -> None:
    """Note why the message is still waiting in its lane, and how many of its posts are there."""
    _update(session, delivery_id, state=state, reason=reason, detail=detail, post_count=post_count)


def _update(session: Session, delivery_id: int, **values: Any) -> None:
    session.execute(update(Delivery).where(Delivery.id == delivery_id).values(**values))
