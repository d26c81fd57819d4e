"""Retention: removes rows and files that are older than the settings allow, in small steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

import structlog

from ireserve_mattermost.locks import LockLostError
from models import utc_now
from models.steps import Steps
from settings import Settings
from tasks.app import app
from tasks.attachments.store import AttachmentStore
from tasks.outbound.retention import MAY_BE_REMOVED, remove_deliveries
from tasks.privacy.old_conversations import remove_conversations
from tasks.replies.retention import remove_replies
from tasks.replies.unowned_files import RemovalContext, remove_unowned
from tasks.runtime import Runtime, current_runtime
from tasks.watch.removals import Removable, is_none_left, note_none_left, note_removed, note_run

log = structlog.get_logger(__name__)

# The time for each kind in each run, so that all three end before the next run is due.
BUDGET_S = 15.0

Remove: TypeAlias = Callable[[Runtime, Steps, datetime], Iterator[int]]


@dataclass(frozen=True, slots=True)
class Rule:
    """How many days rows of one kind are kept (None: for ever), and how they are removed."""

    kind: Removable
    days: int | None
    remove: Remove


def rules_of(settings: Settings) -> tuple[Rule, ...]:
    """Return the rules for how long this installation keeps each kind of row."""
    return (
        Rule(
            Removable.CONVERSATIONS,
            settings.retention_conversations_days,
            lambda runtime, steps, before: remove_conversations(
                steps, runtime.lanes, before=before
            ),
        ),
        Rule(
            Removable.REPLIES,
            settings.retention_replies_days,
            lambda _, steps, before: remove_replies(steps, before=before),
        ),
        Rule(
            Removable.DELIVERIES,
            settings.retention_deliveries_days,
            lambda _, steps, before: remove_deliveries(steps, before=before, which=MAY_BE_REMOVED),
        ),
    )


# Without events, because the task runs every minute and would fill Flower's list.
@app.task(name="mattermost.remove_expired", send_events=False)
def remove_expired() -> str:
    """Remove expired rows and files, within a minute; two runs may go on at the same time.

    A run that is killed loses its current step, and the next run continues.
    """
    runtime = current_runtime()
    rows = remove_rows(runtime)
    # Files come last, because the rows that were just removed leave files behind.
    done = {**rows, Removable.FILES: remove_files(runtime)}
    note_run(runtime.redis)
    return ", ".join(f"{count} {kind}" for kind, count in done.items())


def remove_rows(runtime: Runtime, *, budget_s: float = BUDGET_S) -> dict[Removable, int]:
    """Remove rows that have expired; return how many of each kind."""
    due = [
        rule
        for rule in rules_of(runtime.settings)
        if rule.days is not None and not is_none_left(runtime.redis, rule.kind)
    ]
    if not due:
        return {}
    with runtime.locks.of_retention() as lock:
        if lock is None:
            return {}
        return {rule.kind: _apply(runtime, rule, budget_s, lock.extend) for rule in due}


def _apply(runtime: Runtime, rule: Rule, budget_s: float, extend: Callable[[], None]) -> int:
    before = utc_now() - timedelta(days=rule.days or 0)
    steps = Steps(
        runtime.database,
        budget_s=budget_s,
        is_stopping=runtime.stopping.is_set,
        on_step=extend,
    )
    count = 0
    try:
        for removed in rule.remove(runtime, steps, before):
            count += removed
    except LockLostError:
        # Another worker has the lock and continues. Each step is a transaction of its own.
        log.warning("retention_lost", kind=rule.kind.value)
    else:
        if not steps.is_over:
            note_none_left(runtime.redis, rule.kind)
    note_removed(runtime.redis, rule.kind, count)
    if count:
        longest_ms = round(steps.longest_s * 1_000)
        log.info("rows_removed", kind=rule.kind.value, count=count, longest_step_ms=longest_ms)
    return count


def remove_files(runtime: Runtime) -> int:
    """Remove the files that no reply has, as far as the store allows; return how many."""
    store = AttachmentStore(runtime.settings.attachments_url)
    done = remove_unowned(RemovalContext(runtime.database, store, runtime.locks))
    note_removed(runtime.redis, Removable.FILES, done.files)
    if done.files or done.failed:
        log.info("files_removed", count=done.files, failed=done.failed)
    return done.files
