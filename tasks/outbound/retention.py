"""Retention: what a failed message holds is forgotten after a while."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import null, update

from models import Delivery, DeliveryState, utc_now
from tasks.app import app
from tasks.runtime import Runtime, current_runtime


@app.task(name="mattermost.forget_payloads")
def forget_payloads() -> str:
    """Remove the payload of messages that failed more than ``RETENTION_DAYS`` ago."""
    return f"{forget_old_payloads(current_runtime())} payloads removed"


def forget_old_payloads(runtime: Runtime) -> int:
    """Remove old payloads; the rows stay, with their reason. Return how many there were."""
    before = utc_now() - timedelta(days=runtime.settings.retention_days)
    with runtime.database.transaction() as session:
        forgotten = session.scalars(
            update(Delivery)
            .where(
                Delivery.state == DeliveryState.FAILED,
                Delivery.finished_at < before,
                Delivery.payload.is_not(None),
            )
            .values(payload=null())
            .returning(Delivery.id)
        )
        return len(forgotten.all())
