"""Retention of the ledger: remove the payloads of failed messages, and rows of settled messages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, null, or_, select, update

from models import Delivery, DeliveryState, utc_now
from models.steps import PAGE, Expiry, Steps, expired
from tasks.app import app
from tasks.runtime import Runtime, current_runtime

_HAS_FAILED = Delivery.state == DeliveryState.FAILED
IS_SETTLED = Delivery.state.in_([state for state in DeliveryState if state.is_final])
# An operator can send a failed message again or discard it for as long as it has its payload.
MAY_BE_REMOVED = or_(
    Delivery.state.in_((DeliveryState.SENT, DeliveryState.SKIPPED)),
    and_(_HAS_FAILED, Delivery.payload.is_(None)),
)


@app.task(name="mattermost.forget_payloads")
def forget_payloads() -> str:
    """Remove the payload of messages that failed more than ``RETENTION_DAYS`` ago."""
    return f"{forget_old_payloads(current_runtime())} payloads removed"


def forget_old_payloads(runtime: Runtime) -> int:
    """Remove old payloads and keep their rows with the reason; return how many were removed."""
    before = utc_now() - timedelta(days=runtime.settings.retention_days)
    steps = Steps(runtime.database, is_stopping=runtime.stopping.is_set)
    forgotten = 0
    while ids := _with_old_payload(steps, before):
        for portion in steps.portions(ids):
            # A message that was sent again meanwhile is not in the state "failed" any more.
            these = update(Delivery).where(Delivery.id.in_(portion), _HAS_FAILED)
            forgotten += steps.execute(these.values(payload=null()))
        if steps.is_over:
            break
    return forgotten


def _with_old_payload(steps: Steps, before: datetime) -> Sequence[int]:
    old = select(Delivery.id).where(
        _HAS_FAILED, Delivery.finished_at < before, Delivery.payload.is_not(None)
    )
    with steps.database.snapshot() as session:
        return session.scalars(old.limit(PAGE)).all()


def remove_deliveries(
    steps: Steps, *, before: datetime, which: ColumnElement[bool]
) -> Iterator[int]:
    """Remove rows that match ``which`` and ended before ``before``; yield how many in each step."""
    may_go = and_(which, Delivery.finished_at < before)
    expiry = Expiry(Delivery.id, Delivery.started_at, may_go)
    for ids in expired(steps.database, expiry, before=before):
        for portion in steps.portions(ids):
            yield steps.execute(delete(Delivery).where(Delivery.id.in_(portion), may_go))
        if steps.is_over:
            return
