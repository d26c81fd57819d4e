"""``failed``, ``resend``, ``discard``, ``purge``: what was not sent, and what becomes of it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import click

from ireserve_mattermost.lanes import Lane
from models import Delivery, utc_now
from models.steps import Steps
from tasks.cli.command import Command, confirm
from tasks.cli.installation import Installation
from tasks.cli.moments import MOMENT
from tasks.cli.operator import changed
from tasks.cli.options import limit_option, reason_option, yes_option
from tasks.cli.output import progress, show, table
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

_since = click.option(
    "--since", type=MOMENT, help="Only what failed since: 30m, 2h, 7d, or 2026-08-31T12:00."
)
_reason = reason_option(cure_of)


@click.command(cls=Command)
@click.argument("licence_id", metavar="[LICENCE]", required=False)
@_since
@_reason
@limit_option
@click.option(
    "--all", "everything", is_flag=True, help="Also what was discarded or is too old to re-send."
)
def failed(
    licence_id: str | None,
    since: datetime | None,
    reason: str | None,
    limit: int,
    everything: bool,
) -> None:
    """List messages that were not sent.

    Those of LICENCE or of all, the newest last, each with its reason and the cure.
    """
    wanted = Filter(licence_id, since, reason)
    with Installation().database.snapshot() as session:
        rows_found = find_failed(session, wanted, limit=limit, with_payload=not everything)
        found = [failure_data(row) for row in rows_found]
    shown = ("id", "failed_at", "licence", "kind", "conversation", "reason", "detail", "cure")
    rows = table(
        ("id", "when", "licence", "kind", "conversation", "reason", "detail", "cure"),
        [[entry[column] for column in shown] for entry in found],
    )
    show({"failed": found}, rows if found else "No message has failed.")


def failure_data(row: Delivery) -> dict[str, Any]:
    """Return a failed message for a program: ids and reasons, never what it says."""
    lane = Lane.parse(row.lane)
    is_conversation = lane == Lane.of_conversation(lane.licence_id, lane.subject)
    return {
        "id": row.id,
        "failed_at": row.finished_at,
        "licence": row.licence_id,
        "kind": row.kind.value,
        "key": row.key,
        "conversation": lane.subject if is_conversation else None,
        "reason": row.reason,
        "detail": row.detail,
        "cure": cure_of(row.reason),
        "can_be_resent": row.payload is not None,
    }


@click.command(cls=Command)
@click.argument("ids", metavar="[ID]...", type=int, nargs=-1)
@click.option("--licence", "licence_id", help="All failed messages of this licence.")
@_since
@_reason
@yes_option
def resend(
    ids: tuple[int, ...],
    licence_id: str | None,
    since: datetime | None,
    reason: str | None,
    yes: bool,
) -> None:
    """Send failed messages again.

    Those with these IDs, or all of --licence. They go to the end of their conversation, behind
    newer messages, in the order in which they were first sent. Mattermost is looked through first:
    one that arrived after all is not posted twice. Exit code 1 if one of them was left.
    """
    if bool(ids) == bool(licence_id) or (ids and (since or reason)):
        raise click.UsageError("give IDs, or --licence with --since and --reason if you like")
    parts = Installation()
    left: list[dict[str, Any]] = []
    chosen = _chosen(parts, ids, Filter(licence_id, since, reason), left)
    if chosen:
        confirm(f"Send {len(chosen)} messages again, behind newer ones?", yes=yes)
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
    """Return what can be sent again, in order; add what cannot to ``left``."""
    with parts.database.snapshot() as session:
        if not ids:
            return find_failed_ids(session, wanted)
        reasons = {delivery_id: why_not(session, delivery_id) for delivery_id in sorted(set(ids))}
    left += [{"id": each, "why": why} for each, why in reasons.items() if why is not None]
    return [each for each, why in reasons.items() if why is None]


def _resend(parts: Installation, chosen: Sequence[int], left: list[dict[str, Any]]) -> list[int]:
    sent: list[int] = []
    licences: set[str] = set()
    try:
        with progress() as bar:
            for delivery_id in bar.track(chosen, description="Re-sending"):
                lane = _send_again(parts, delivery_id, left)
                if lane is not None:
                    licences.add(lane.licence_id)
                    sent.append(delivery_id)
    finally:
        # Ctrl-C leaves what was done until then.
        if sent:
            changed("resend", licences=sorted(licences), messages=sent)
    for licence_id in sorted(licences):
        parts.lanes.revive(licence_id, overdue_ms=0)
    return sent


def _send_again(parts: Installation, delivery_id: int, left: list[dict[str, Any]]) -> Lane | None:
    """Return the lane that the message is in again; None: it was added to ``left``."""
    try:
        lane = send_again(parts.database, parts.lanes, delivery_id)
    except LaneBusyError as error:
        left.append({"id": delivery_id, "why": str(error)})
        return None
    if lane is None:
        left.append({"id": delivery_id, "why": "another operator has sent or discarded it"})
    return lane


@click.command(cls=Command)
@click.argument("ids", metavar="ID...", type=int, nargs=-1, required=True)
@yes_option
def discard(ids: tuple[int, ...], yes: bool) -> None:
    """Give failed messages up.

    What they say is forgotten, and `failed` lists them no more. Exit code 1 if one of them had not
    failed or was forgotten already.
    """
    confirm(f"Forget {len(set(ids))} messages for good?", yes=yes)
    with Installation().database.transaction() as session:
        gone = discard_payloads(session, ids)
    if gone:
        changed("discard", messages=gone)
    left = sorted(set(ids) - set(gone))
    show(
        {"discarded": gone, "left": left},
        *[f"Left {each}: it has not failed, or was forgotten already." for each in left],
        f"Messages discarded: {len(gone)}.",
    )
    sys.exit(1 if left else 0)


@click.command(cls=Command)
@click.option(
    "--older-than",
    metavar="DAYS",
    type=click.IntRange(min=1),
    required=True,
    help="Only what was sent, failed or was skipped more than DAYS days ago.",
)
@yes_option
def purge(older_than: int, yes: bool) -> None:
    """Remove old messages from the ledger.

    Failed ones go with what they say. Mattermost keeps its posts. A message that i-Reserve enqueues
    once more after this, with the same id, is posted once more.
    """
    confirm(f"Remove what was settled more than {older_than} days ago?", yes=yes)
    before = utc_now() - timedelta(days=older_than)
    removed = 0
    try:
        with progress() as bar:
            task = bar.add_task("Removing", total=None)
            steps = Steps(Installation().database)
            for count in remove_deliveries(steps, before=before, which=IS_SETTLED):
                removed += count
                bar.update(task, advance=count)
    finally:
        changed("purge", older_than_days=older_than, removed=removed)
    show({"removed": removed}, f"Messages removed: {removed}.")
