"""The task that resolves replies, woken by the webhook and by the sweep."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import timedelta

import structlog
from structlog.contextvars import bound_contextvars

from tasks.app import app
from tasks.failures import LoggedError, OwnReason
from tasks.outbound.drain import leave, serve
from tasks.outbound.tasks import show_failures
from tasks.replies import rows
from tasks.replies.backoff import Obstacle, Trouble
from tasks.replies.endings import EndKind, note_ending
from tasks.replies.known_reply import KnownReply
from tasks.replies.open_replies import BATCH, claim_due, set_next_attempt
from tasks.replies.postponing import postpone
from tasks.replies.record import record
from tasks.runtime import Runtime, current_runtime
from tasks.wake import RESOLVE_REPLY

log = structlog.get_logger(__name__)

# A task goes on with what is due for its licence: other tasks left those replies while the licence
# used its share of the threads. The limit distinguishes a busy worker from one that hangs.
MAX_ROUNDS = 20
# The report's word for a reply that met an unexpected error.
FAILED = "failed"


class RepliesFailedError(LoggedError):
    """Some replies met an unexpected error; the log names each (red in Flower)."""


@app.task(name=RESOLVE_REPLY)
def resolve_reply(reply_ids: list[int]) -> str:
    """Record these replies; safe to run twice and at the same time.

    Raises:
        RepliesFailedError: an error was unexpected; its replies are tried again later.
    """
    return str(resolve(current_runtime(), reply_ids))


class Report(Counter[str]):
    """The number of replies for each way in which they ended."""

    def __str__(self) -> str:
        """Return the counts as Flower shows them."""
        return ", ".join(f"{count} {name}" for name, count in sorted(self.items())) or "nothing"


def resolve(runtime: Runtime, reply_ids: Sequence[int]) -> Report:
    """Record these replies; return how many ended in which way.

    Raises:
        RepliesFailedError: an error was unexpected; its replies are tried again later.
    """
    report = Report()
    by_licence: defaultdict[str, list[KnownReply]] = defaultdict(list)
    for reply in _load(runtime, reply_ids):
        by_licence[reply.licence_id].append(reply)
    for licence_id, replies in by_licence.items():
        _resolve_licence(runtime, licence_id, replies, report)
    if FAILED in report:
        raise RepliesFailedError(str(report))
    return report


def _load(runtime: Runtime, reply_ids: Sequence[int]) -> list[KnownReply]:
    with runtime.database.reading() as connection:
        return rows.load(connection, reply_ids)


def _resolve_licence(
    runtime: Runtime, licence_id: str, replies: Sequence[KnownReply], report: Report
) -> None:
    """Record these replies, then all that are due for the licence, if it may use a thread."""
    if not runtime.shares.enter(licence_id):
        _leave(runtime, replies, report)
        return
    try:
        for _ in range(MAX_ROUNDS):
            for index, reply in enumerate(replies):
                if runtime.stopping.is_set():
                    _leave(runtime, replies[index:], report)
                    return
                report[_resolve_one(runtime, reply)] += 1
            replies = _load_due(runtime, licence_id)
            if not replies:
                return
    finally:
        _give_thread_back(runtime, licence_id)


def _load_due(runtime: Runtime, licence_id: str) -> list[KnownReply]:
    if runtime.stopping.is_set():
        return []
    due = claim_due(runtime.database, limit=BATCH, licence_id=licence_id)
    return _load(runtime, [reply_id for reply_id, _ in due])


def _resolve_one(runtime: Runtime, reply: KnownReply) -> str:
    """Record the reply; return a word for the report."""
    with bound_contextvars(licence_id=reply.licence_id, correlation_id=reply.post_id):
        return _resolve_named(runtime, reply)


def _resolve_named(runtime: Runtime, reply: KnownReply) -> str:
    try:
        with runtime.shares.message(reply.licence_id):
            return record(runtime, reply).value
    except Exception as error:  # noqa: BLE001
        # A mistake in our code must not hold up other replies, so all errors end here. The error's
        # text may hold personal data, so only its name is logged.
        log.error("reply_failed", reply_id=reply.id, error=type(error).__name__)
        _postpone_failed(runtime, reply.id, error)
        return FAILED


def _postpone_failed(runtime: Runtime, reply_id: int, error: Exception) -> None:
    detail = f"{type(error).__name__} while it was recorded; see the log"
    obstacle = Obstacle(Trouble.BROKEN, OwnReason.INTERNAL_ERROR.value, detail)
    # The attempt may have changed the row before it failed.
    for known in _load(runtime, [reply_id]):
        ending = postpone(runtime.database, known, obstacle)
        if ending.kind is EndKind.GIVEN_UP:
            note_ending(runtime.tallies, known, ending)


def _leave(runtime: Runtime, replies: Sequence[KnownReply], report: Report) -> None:
    """Leave the replies to another thread of the licence, or to the sweep."""
    with runtime.database.transaction() as session:
        set_next_attempt(session, [reply.id for reply in replies], after=timedelta(0))
    report["left"] += len(replies)


def _give_thread_back(runtime: Runtime, licence_id: str) -> None:
    """Serve the licences that wait for a thread, then give the thread back."""
    show_failures(serve(runtime, leave(runtime, licence_id)))
