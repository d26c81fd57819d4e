"""Tell i-Reserve the outcomes of its messages: which have failed, and where their threads are.

A notice is stored in the same transaction as its event, and removed after it was published. So
i-Reserve gets each notice at least once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import uuid4

import structlog
from sqlalchemy import Connection, Row, Select, delete, insert, select, update

from ireserve_mattermost.lanes import Lane
from models import Database, DeliveryKind, Outcome, utc_now
from tasks.host_tasks import TRY_AGAIN_AFTER, send_host_task
from tasks.outbound.ledger import Failed
from tasks.runtime import Runtime

log = structlog.get_logger(__name__)

# If a worker dies while it publishes notices, another worker publishes the rest after this time.
TELL_AGAIN = timedelta(seconds=30)
# How many notices are published at a time: work for a tenth of a second.
AT_ONCE = 100
# The fields of a notice that Flower and the logs may show.
SHOWN = ("licence_id", "conversation_id", "event", "key", "outcome_id")
_MESSAGE, _NOTIFICATION = "reply:", "notification-id:"


class OutcomeEvent(StrEnum):
    """The kinds of events that i-Reserve is told about."""

    FAILED = "failed"
    THREAD_LINKED = "thread_linked"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeNotice:
    """The arguments of i-Reserve's task, which hold no text of a message.

    ``outcome_id`` names the event, and stays the same if i-Reserve is told twice.
    """

    outcome_id: str
    event: OutcomeEvent
    at: str
    licence_id: str
    conversation_id: str | None = None
    message_id: str | None = None
    notification_type: str | None = None
    notification_id: str | None = None
    user_id: str | None = None
    kind: str | None = None
    key: str | None = None
    task_id: str | None = None
    reason: str | None = None
    detail: str | None = None
    root_post_id: str | None = None
    permalink: str | None = None


def record_failure(connection: Connection, failed: Failed, payload: Mapping[str, Any]) -> None:
    """Store a notice to i-Reserve about this failure."""
    lane = Lane.parse(failed.lane)
    user_id = payload.get("user_id") if failed.kind is DeliveryKind.USER else None
    _record(
        connection,
        OutcomeNotice(
            outcome_id=str(uuid4()),
            event=OutcomeEvent.FAILED,
            at=failed.at.isoformat(),
            licence_id=lane.licence_id,
            conversation_id=lane.subject if lane.family == "c" else None,
            message_id=_after(_MESSAGE, failed.key),
            notification_type=lane.subject if lane.family == "n" else None,
            notification_id=_after(_NOTIFICATION, failed.key),
            user_id=str(user_id) if isinstance(user_id, (str, int)) else None,
            kind=failed.kind.value,
            key=failed.key,
            task_id=failed.task_id or None,
            reason=failed.reason,
            detail=failed.detail,
        ),
    )


def _after(prefix: str, key: str) -> str | None:
    return key.removeprefix(prefix) if key.startswith(prefix) else None


def record_thread(connection: Connection, lane: Lane, *, root_post_id: str, permalink: str) -> None:
    """Store a notice to i-Reserve about the place of the conversation's thread."""
    _record(
        connection,
        OutcomeNotice(
            outcome_id=str(uuid4()),
            event=OutcomeEvent.THREAD_LINKED,
            at=utc_now().isoformat(),
            licence_id=lane.licence_id,
            conversation_id=lane.subject,
            root_post_id=root_post_id,
            permalink=permalink,
        ),
    )


def _record(connection: Connection, notice: OutcomeNotice) -> None:
    connection.execute(
        insert(Outcome).values(
            licence_id=notice.licence_id, outcome_id=notice.outcome_id, notice=asdict(notice)
        )
    )


def publish_due(runtime: Runtime) -> int:
    """Publish i-Reserve's task for each notice that is due; return how many were published.

    Without the setting ``OUTCOME_TASK`` due notices are dropped. While the broker is away, notices
    wait.
    """
    told = 0
    while due := _claim(runtime.database):
        sent = _send_all(runtime, due)
        with runtime.database.transaction() as session:
            session.execute(delete(Outcome).where(Outcome.id.in_(sent)))
            rest = [row.id for row in due[len(sent) :]]
            if rest:
                later = update(Outcome).where(Outcome.id.in_(rest))
                session.execute(later.values(next_attempt_at=utc_now() + TRY_AGAIN_AFTER))
        told += len(sent)
        if rest or len(due) < AT_ONCE:
            break
    return told


def _claim(database: Database) -> Sequence[Row[int, dict[str, Any]]]:
    """Return the notices that are due, and hide them from other workers for ``TELL_AGAIN``."""
    with database.reading() as connection:
        if connection.execute(_due().limit(1)).first() is None:
            return []
    with database.transaction() as session:
        # SQLite ignores the row locks, which it does not need: it has one writer at a time.
        due = session.execute(_due().limit(AT_ONCE).with_for_update(skip_locked=True)).all()
        these = update(Outcome).where(Outcome.id.in_([row.id for row in due]))
        session.execute(these.values(next_attempt_at=utc_now() + TELL_AGAIN))
    return due


def _due() -> Select[int, dict[str, Any]]:
    due = select(Outcome.id, Outcome.notice).where(Outcome.next_attempt_at <= utc_now())
    return due.order_by(Outcome.id)


def _send_all(runtime: Runtime, due: Sequence[Row[int, dict[str, Any]]]) -> list[int]:
    """Publish the notices until the broker fails; return the ids of those that were published."""
    task = runtime.settings.outcome_task
    sent = []
    for row in due:
        if task is not None and not _send(task, runtime.settings.reply_queue, row.notice):
            break
        sent.append(row.id)
    return sent


def _send(task: str, queue: str, notice: Mapping[str, Any]) -> bool:
    outcome_id, ids = notice["outcome_id"], {name: notice.get(name) for name in SHOWN}
    is_sent = send_host_task(task, notice, queue=queue, task_id=outcome_id, ids=ids)
    if not is_sent:
        log.warning("outcome_not_told", outcome_id=outcome_id)
    return is_sent
