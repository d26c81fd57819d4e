"""``replies`` and ``collect``: list replies that are not recorded, and ask for them again."""

from __future__ import annotations

import sys
from typing import Any

import click

from models import Reply
from tasks.cli.command import OperatorError
from tasks.cli.errors import NO_REDIS
from tasks.cli.installation import Installation
from tasks.cli.interruption import on_interrupt
from tasks.cli.licence.registration import require_licence
from tasks.cli.operator import log_change
from tasks.cli.output import show
from tasks.cli.tables import table
from tasks.replies.backoff import GIVEN_UP
from tasks.replies.cures import cure_of_reply
from tasks.replies.missing_files import ask_again_for_files
from tasks.replies.open_replies import batches
from tasks.replies.unrecorded import find_unrecorded, find_unrecorded_ids
from tasks.wake import wake_replies
from tasks.watch.filter import Filter

_COLUMNS = ("id", "received_at", "licence", "post_id", "given_up", "reason", "detail", "cure")


def replies(licence_id: str | None, reason: str | None, given_up: bool, limit: int) -> None:
    """List replies that are not recorded."""
    wanted = Filter(licence_id, reason=reason)
    with Installation().database.snapshot() as session:
        if licence_id is not None:
            require_licence(session, licence_id)
        unrecorded = find_unrecorded(session, wanted, limit=limit, given_up=given_up)
        found = [reply_data(row) for row in unrecorded]
    rows = table(
        ("id", "received", "licence", "post", "given up", "reason", "detail", "cure"),
        [[entry[column] for column in _COLUMNS] for entry in found],
    )
    show({"replies": found}, rows if found else "All replies are recorded.")


def reply_data(row: Reply) -> dict[str, Any]:
    """Return an unrecorded reply as data for JSON: ids and reasons, never its text."""
    given_up = row.next_attempt_at == GIVEN_UP
    return {
        "id": row.id,
        "received_at": row.received_at,
        "licence": row.licence_id,
        "post_id": row.post_id,
        "path": row.source.value,
        "given_up": given_up,
        "next_attempt_at": None if given_up else row.next_attempt_at,
        "reason": row.reason,
        "detail": row.detail,
        "cure": cure_of_reply(row.reason),
    }


def collect(licence_id: str, ids: tuple[int, ...], reason: str | None, files: bool) -> None:
    """Ask Mattermost again for replies that are not recorded."""
    if reason and (ids or files):
        raise click.UsageError("give --reason without IDs and --files")
    wanted = Filter(licence_id, reason=reason, ids=ids or None)
    parts, found = Installation(), []
    with parts.database.transaction() as session:
        require_licence(session, licence_id)
        if ids or files:
            found += ask_again_for_files(session, wanted)
        if not files:
            found += find_unrecorded_ids(session, wanted, given_up=not ids)
    found = sorted(set(found))
    asked = [reply_id for reply_id, _ in found]
    if asked:
        log_change("collect", replies=asked)
    with on_interrupt(lambda: f"Replies that are asked for again within a minute: {len(found)}."):
        if not all(wake_replies(each, licence_ids=[whose]) for whose, each in batches(found)):
            raise OperatorError(NO_REDIS)
    left = sorted(set(ids) - set(asked))
    show(
        {"asked": asked, "left": left},
        *[
            f"Left {each}: it is recorded whole, or is no reply of licence {licence_id!r}."
            for each in left
        ],
        f"Replies that are asked for again: {len(asked)}.",
    )
    sys.exit(1 if left else 0)
