"""``failed``, ``resend``, ``discard``, ``purge``: list and settle messages that were not sent."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import click

from ireserve_mattermost.lanes import Lane
from models import Delivery, utc_now
from models.steps import Steps
from tasks.cli.command import confirm
from tasks.cli.installation import Installation
from tasks.cli.interruption import on_interrupt
from tasks.cli.licence.registration import require_ledger
from tasks.cli.operator import log_change
from tasks.cli.output import counted, progress, show
from tasks.cli.tables import table
from tasks.outbound.resending import (
    LaneBusyError,
    cure_of,
    discard_payloads,
    find_failed,
    find_failed_ids,
    send_again,
    why_not,
)
from tasks.outbound.retention import IS_SETTLED, remove_deliveries
from tasks.watch.filter import Filter

_COLUMNS = (
    "id", "failed_at", "licence", "kind", "conversation", "correlation_id", "reason", "detail",
    "cure",
)  # fmt: skip
_HEADINGS = (
    "id", "when", "licence", "kind", "conversation", "correlation id", "reason", "detail", "cure",
)  # fmt: skip
_NOT_TO_DISCARD = "it is no failed message of licence {!r}, or was forgotten already"


def failed(
    licence_id: str | None,
    since: datetime | None,
    reason: str | None,
    limit: int,
    everything: bool,
) -> None:
    """List messages that were not sent."""
    wanted = Filter(licence_id, since, reason)
    with Installation().database.snapshot() as session:
        if licence_id is not None:
            require_ledger(session, licence_id)
        rows_found = find_failed(session, wanted, limit=limit, with_payload=not everything)
        found = [failure_data(row) for row in rows_found]
    rows = table(_HEADINGS, [[entry[column] for column in _COLUMNS] for entry in found])
    show({"failed": found}, rows if found else "No message has failed.")


def failure_data(row: Delivery) -> dict[str, Any]:
    """Return a failed message as data for JSON: ids and reasons, never its text."""
    lane = Lane.parse(row.lane)
    is_conversation = lane == Lane.of_conversation(lane.licence_id, lane.subject)
    return {
        "id": row.id,
        "failed_at": row.finished_at,
        "licence": row.licence_id,
        "kind": row.kind.value,
        "key": row.key,
        "conversation": lane.subject if is_conversation else None,
        "correlation_id": row.correlation_id,
        "reason": row.reason,
        "detail": row.detail,
        "cure": cure_of(row.reason),
        "can_be_resent": row.payload is not None,
    }


def resend(
    licence_id: str,
    ids: tuple[int, ...],
    since: datetime | None,
    reason: str | None,
    yes: bool,
) -> None:
    """Send failed messages again."""
    if ids and (since or reason):
        raise click.UsageError("give IDs, or --since and --reason")
    parts = Installation()
    left: list[dict[str, Any]] = []
    chosen = _chosen(parts, ids, Filter(licence_id, since, reason), left)
    if chosen:
        confirm(f"Send {counted(len(chosen), 'message')} again, behind newer ones?", yes=yes)
    sent = _resend(parts, chosen, left)
    show(
        {"resent": sent, "left": left},
        *[f"Left {entry['id']}: {entry['why']}." for entry in left],
        f"Messages on their way again: {len(sent)}.",
    )
    sys.exit(1 if left else 0)


def _chosen(
    parts: Installation, ids: Sequence[int], wanted: Filter, left: list[dict[str, Any]]
) -> list[int]:
    """Return the ids of messages that can be sent again, in order; add the others to ``left``."""
    licence_id = str(wanted.licence_id)
    with parts.database.snapshot() as session:
        require_ledger(session, licence_id)
        if not ids:
            return find_failed_ids(session, wanted)
        reasons = {each: why_not(session, each, licence_id) for each in sorted(set(ids))}
    left += [{"id": each, "why": why} for each, why in reasons.items() if why is not None]
    return [each for each, why in reasons.items() if why is None]


def _resend(parts: Installation, chosen: Sequence[int], left: list[dict[str, Any]]) -> list[int]:
    sent: list[int] = []
    licences: set[str] = set()
    with on_interrupt(lambda: f"Messages on their way again: {len(sent)} of {len(chosen)}."):
        try:
            with progress() as bar:
                for delivery_id in bar.track(chosen, description="Re-sending"):
                    lane = _send_again(parts, delivery_id, left)
                    if lane is not None:
                        licences.add(lane.licence_id)
                        sent.append(delivery_id)
        finally:
            # After Ctrl-C, messages that are in their lanes stay there, and the sweep sends them.
            if sent:
                log_change("resend", licences=sorted(licences), messages=sent)
        for licence_id in sorted(licences):
            parts.lanes.revive(licence_id, overdue_ms=0)
    return sent


def _send_again(parts: Installation, delivery_id: int, left: list[dict[str, Any]]) -> Lane | None:
    """Send the message again, and return its lane; None: it cannot be, and is in ``left``."""
    try:
        lane = send_again(parts.database, parts.lanes, delivery_id)
    except LaneBusyError as error:
        left.append({"id": delivery_id, "why": str(error)})
        return None
    if lane is None:
        left.append({"id": delivery_id, "why": "another operator has sent or discarded it"})
    return lane


def discard(licence_id: str, ids: tuple[int, ...], yes: bool) -> None:
    """Give up failed messages."""
    parts = Installation()
    with parts.database.snapshot() as session:
        require_ledger(session, licence_id)
    confirm(f"Forget {counted(len(set(ids)), 'message')} for good?", yes=yes)
    with parts.database.transaction() as session:
        gone = discard_payloads(session, licence_id, ids)
    if gone:
        log_change("discard", messages=gone)
    left = sorted(set(ids) - set(gone))
    show(
        {"discarded": gone, "left": left},
        *[f"Left {each}: {_NOT_TO_DISCARD.format(licence_id)}." for each in left],
        f"Messages discarded: {len(gone)}.",
    )
    sys.exit(1 if left else 0)


def purge(older_than: int, yes: bool) -> None:
    """Remove old messages from the ledger."""
    confirm(f"Remove what was settled more than {older_than} days ago?", yes=yes)
    before = utc_now() - timedelta(days=older_than)
    removed = 0
    with on_interrupt(lambda: f"Messages removed: {removed}."):
        try:
            with progress() as bar:
                task = bar.add_task("Removing", total=None)
                steps = Steps(Installation().database)
                for count in remove_deliveries(steps, before=before, which=IS_SETTLED):
                    removed += count
                    bar.update(task, advance=count)
        finally:
            log_change("purge", older_than_days=older_than, removed=removed)
    show({"removed": removed}, f"Messages removed: {removed}.")
