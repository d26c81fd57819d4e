"""The task that resolves replies, woken by the webhook and by the sweep."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import timedelta

import structlog
from sqlalchemy import select

from models import Reply, ReplyState
from tasks.app import app
from tasks.failures import OwnReason, SendFailedError
from tasks.mattermost import Reason
from tasks.replies.hand_over import hand_over
from tasks.replies.open_replies import BATCH, claim, leave_until
from tasks.replies.patience import Obstacle, Trouble
from tasks.replies.record import Outcome, load, postpone, record
from tasks.replies.rows import Known
from tasks.runtime import Runtime, current_runtime
from tasks.wake import RESOLVE_REPLY, wake_lane

log = structlog.get_logger(__name__)

# A task goes on with what is due for its licence, as other tasks left it when the licence had its
# share of the threads; but not for ever, so that a worker can be told apart from one that hangs.
MAX_ROUNDS = 20

SERVER_AWAY = Obstacle(
    Trouble.AWAY, Reason.UNREACHABLE.value, "Its server is away; replies wait until it is back."
)


class RepliesFailedError(Exception):
    """Some replies met an error that nobody expected; the log names each (red in Flower)."""


@app.task(name=RESOLVE_REPLY)
def resolve_reply(reply_ids: list[int]) -> str:
    """Record these replies; safe to run twice and at the same time.

    Raises:
        RepliesFailedError: something unexpected; those replies are tried again later.
    """
    return str(resolve(current_runtime(), reply_ids))


class Report(Counter[str]):
    """How many replies ended how."""

    def __str__(self) -> str:
        """Return the counts as Flower shows them."""
        return ", ".join(f"{count} {name}" for name, count in sorted(self.items())) or "nothing"


def resolve(runtime: Runtime, reply_ids: Sequence[int]) -> Report:
    """Record these replies, and say what became of them.

    Raises:
        RepliesFailedError: as the task.
    """
    report = Report()
    for licence_id, ids in _by_licence(runtime, reply_ids).items():
        _resolve_licence(runtime, licence_id, ids, report)
    if "failed" in report:
        raise RepliesFailedError(str(report))
    return report


def _by_licence(runtime: Runtime, reply_ids: Sequence[int]) -> dict[str, list[int]]:
    """Return those of the replies that are still in the inbox, in order."""
    found = select(Reply.id, Reply.licence_id).where(Reply.id.in_(reply_ids)).order_by(Reply.id)
    by_licence: defaultdict[str, list[int]] = defaultdict(list)
    with runtime.database.transaction() as session:
        for reply_id, licence_id in session.execute(found):
            by_licence[licence_id].append(reply_id)
    return by_licence


def _resolve_licence(
    runtime: Runtime, licence_id: str, reply_ids: list[int], report: Report
) -> None:
    if not runtime.slots.take_if_free(licence_id):
        _leave(runtime, reply_ids, report)
        return
    try:
        for _ in range(MAX_ROUNDS):
            _resolve_each(runtime, licence_id, reply_ids, report)
            if runtime.stopping.is_set():
                return
            with runtime.database.transaction() as session:
                due = claim(session, limit=BATCH, licence_id=licence_id)
            reply_ids = [reply_id for reply_id, _ in due]
            if not reply_ids:
                return
    finally:
        _give_thread_back(runtime, licence_id)


def _resolve_each(runtime: Runtime, licence_id: str, reply_ids: list[int], report: Report) -> None:
    for index, reply_id in enumerate(reply_ids):
        if runtime.stopping.is_set():
            _leave(runtime, reply_ids[index:], report)
            return
        try:
            report[_resolve_one(runtime, licence_id, reply_id)] += 1
        except Exception as error:  # noqa: BLE001
            # The edge of the process: one reply that meets a mistake of ours must not hold up the
            # others. The error's text may hold anything, its name does not.
            report["failed"] += 1
            log.error("reply_failed", reply_id=reply_id, error=type(error).__name__)
            known = load(runtime, reply_id)
            if known is not None:
                postpone(runtime, known, _unforeseen(error))


def _resolve_one(runtime: Runtime, licence_id: str, reply_id: int) -> str:
    """Do what the reply needs; return a word for the report."""
    known = load(runtime, reply_id)
    if known is None:
        return Outcome.IGNORED.value
    if known.state is not ReplyState.RECEIVED:
        return "handed over" if hand_over(runtime, reply_id) else Outcome.WAITING.value
    outcome = _record(runtime, licence_id, known)
    # What is told needs no server of Mattermost's.
    if outcome is Outcome.WAITING and known.is_pending:
        hand_over(runtime, reply_id)
    return outcome.value


def _record(runtime: Runtime, licence_id: str, known: Known) -> Outcome:
    if runtime.circuits.state(licence_id).blocks(time.time()):
        postpone(runtime, known, SERVER_AWAY)
        return Outcome.WAITING
    try:
        licence = runtime.licences.access(licence_id)
    except SendFailedError as error:
        obstacle = Obstacle(Trouble.REFUSED, error.reason.value, error.detail)
        waits = postpone(runtime, known, obstacle)
        return Outcome.WAITING if waits else Outcome.GIVEN_UP
    return record(runtime, licence, known.id)


def _unforeseen(error: Exception) -> Obstacle:
    detail = f"{type(error).__name__} while it was recorded; see the log"
    return Obstacle(Trouble.BROKEN, OwnReason.INTERNAL_ERROR.value, detail)


def _leave(runtime: Runtime, reply_ids: Sequence[int], report: Report) -> None:
    """Leave the replies to a thread of the licence that comes free, or to the sweep."""
    with runtime.database.transaction() as session:
        leave_until(session, reply_ids, after=timedelta(0))
    report["left"] += len(reply_ids)


def _give_thread_back(runtime: Runtime, licence_id: str) -> None:
    """Give the thread back, and wake a lane that waited for it."""
    lane = runtime.slots.next_or_leave(licence_id)
    if lane is None:
        return
    runtime.slots.leave(licence_id)
    wake_lane(lane)
