"""The task that gives receipts once they are due, woken at that time and by the sweep.

The author's client loses a reaction that comes right behind the post. So the reply's row says when
its receipt is due, and Celery delivers a delayed wake-up then. No thread waits for it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import structlog
from structlog.contextvars import bound_contextvars

from models import Receipt, utc_now
from tasks.app import app
from tasks.failures import SendFailedError
from tasks.licences.access import LicenceAccess
from tasks.licences.circuit import Reach
from tasks.mattermost import MattermostError
from tasks.outbound.drain import leave, serve
from tasks.outbound.tasks import show_failures
from tasks.replies.due_receipts import (
    BATCH,
    DueReceipt,
    claim_due_receipts,
    licences_with_late_receipts,
    settle,
)
from tasks.replies.hints import give_due_hints
from tasks.replies.receipts import allowed_receipt, give_receipt
from tasks.runtime import Runtime, current_runtime
from tasks.wake import GIVE_RECEIPTS, wake_receipts

log = structlog.get_logger(__name__)

# If a licence uses its share of the threads, its receipts are tried again after this time.
TRY_AGAIN_AFTER = timedelta(seconds=1)


def plan_receipts(runtime: Runtime, licence_id: str, *, due_at: datetime | None) -> None:
    """Have the licence's receipts and hints given at ``due_at``; None: nothing is due.

    Receipts that are due at about the same time share a wake-up. If it is lost, the sweep comes
    instead.
    """
    if due_at is None:
        return
    at = runtime.planned_looks.plan(licence_id, due_at=due_at, now=utc_now())
    if at is not None:
        wake_receipts(licence_id, at=at)


# This runs for each reply, so its events would hide all others in Flower.
@app.task(name=GIVE_RECEIPTS, send_events=False)
def give_receipts(licence_id: str) -> str:
    """Give the licence's due receipts and hints; safe to run twice and at the same time."""
    runtime = current_runtime()
    if not runtime.shares.enter(licence_id):
        plan_receipts(runtime, licence_id, due_at=utc_now() + TRY_AGAIN_AFTER)
        return "the licence has its share of the threads"
    try:
        return f"{give_due_receipts(runtime, licence_id)} posts looked at"
    finally:
        show_failures(serve(runtime, leave(runtime, licence_id)))


def give_due_receipts(runtime: Runtime, licence_id: str) -> int:
    """Give the due receipts, and post the due hints; return how many posts were looked at.

    If the server is away, this ends, and the sweep tries the posts again.
    """
    licence = _access(runtime, licence_id)
    count = 0
    while licence is not None and not _is_to_stop(runtime, licence_id):
        due = claim_due_receipts(runtime.database, licence_id)
        if len(due) == BATCH:
            # There may be more than one thread can give in time, so another task helps.
            plan_receipts(runtime, licence_id, due_at=utc_now())
        done = list(_mark_all(runtime, licence, due))
        settle(runtime.database, done)
        count += len(done)
        if len(done) < BATCH:
            return count + give_due_hints(runtime, licence)
    return count


def _access(runtime: Runtime, licence_id: str) -> LicenceAccess | None:
    try:
        return runtime.licences.access(licence_id)
    except SendFailedError as error:
        log.warning("receipts_not_given", licence_id=licence_id, reason=error.reason.value)
        return None


def _is_to_stop(runtime: Runtime, licence_id: str) -> bool:
    return runtime.stopping.is_set() or runtime.circuits.state(licence_id).blocks(time.time())


def _mark_all(
    runtime: Runtime, licence: LicenceAccess, dues: list[DueReceipt]
) -> Iterator[tuple[DueReceipt, Receipt | None]]:
    """Yield each settled post with the receipt that it has; end when the server is away."""
    for due in dues:
        if runtime.stopping.is_set():
            return
        try:
            with (
                bound_contextvars(correlation_id=due.known.post_id),
                runtime.shares.message(licence.id),
            ):
                given = _mark(runtime, licence, due)
        except MattermostError as error:
            ids = {"licence_id": licence.id, "post_id": due.known.post_id}
            ids["correlation_id"] = due.known.post_id
            log.warning("receipt_not_given", reason=error.reason.value, **ids)
            if runtime.circuits.note(licence.id, error) is not Reach.REACHED:
                return
            # A deleted post or an archived channel never takes a receipt, so this is not repeated.
            given = due.known.receipt
        yield due, given


def _mark(runtime: Runtime, licence: LicenceAccess, due: DueReceipt) -> Receipt | None:
    """Give the post the receipt that fits, unless it has it; return the receipt it has now."""
    known = due.known
    receipt = allowed_receipt(known.fitting_receipt, licence.receipts)
    if receipt is not known.receipt:
        give_receipt(
            runtime.clients.of(licence),
            known.post_id,
            receipt,
            bot_user_id=licence.bot_user_id,
            instead_of=known.receipt,
        )
        runtime.circuits.note(licence.id, None)
    return receipt


def wake_late_receipts(runtime: Runtime) -> int:
    """Publish wake-ups for licences whose receipts are late; return for how many."""
    late = licences_with_late_receipts(runtime.database)
    states = runtime.circuits.states(late)
    reachable = [each for each in late if not states[each].blocks(time.time())]
    return sum(wake_receipts(licence_id) for licence_id in reachable)
