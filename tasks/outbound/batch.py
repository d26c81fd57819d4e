"""The first messages of a lane, begun together and settled together.

Each is sent by itself and in its turn; only the ledger's part is shared, one statement before the
first is sent and one transaction after the last. Whoever dies in between leaves rows that say
``sending``: the next worker looks in Mattermost for each of them.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from enum import StrEnum

import structlog
from redis.exceptions import RedisError
from sqlalchemy import Connection
from sqlalchemy.exc import DataError, SQLAlchemyError, StatementError

from models import DeliveryState
from tasks.failures import SendFailedError
from tasks.lanes import Lane, LaneEntry, LaneLostError
from tasks.licences.access import LicenceAccess
from tasks.messages import Notification
from tasks.outbound import ledger
from tasks.outbound.delivery import Delivered, deliver
from tasks.outbound.job import Job
from tasks.outbound.ledger import Begun, Known
from tasks.outbound.threads import Thread, load_thread, note_activity
from tasks.outbound.verdicts import Order, has_expired, read, reason_to_skip, reason_to_wait
from tasks.outcomes import Settled, Waiting
from tasks.reasons import OwnReason
from tasks.runtime import Runtime

log = structlog.get_logger(__name__)

# Whoever looks into the ledger finds a message there as sent after this time at the latest, and a
# worker that dies leaves no more to look for than what it sent meanwhile.
SETTLE_S = 0.5


class Batch:
    """Messages from the head of one lane, which the caller has the lock of."""

    def __init__(
        self,
        runtime: Runtime,
        lane: Lane,
        entries: Sequence[LaneEntry],
        *,
        extend: Callable[[], None],
    ) -> None:
        self._runtime = runtime
        self._lane = lane
        self._entries = entries
        self._extend = extend
        self._orders = [read(runtime, lane, entry) for entry in entries]
        self._settled: dict[str, Settled] = {}
        self._untried: dict[str, Begun] = {}
        self._blocked: Waiting | None = None
        self._thread: Thread | None = None
        # What has been posted and is not in the ledger yet.
        self._delivered: list[Delivered] = []
        self._settled_at = time.monotonic()

    def begin(self) -> None:
        """Write down that the messages are being sent, unless the licence has to wait."""
        blocked = reason_to_wait(self._runtime, self._lane, self._entries[0])
        # Each statement stands for itself: what is begun and never sent is looked for, and a
        # conversation without messages does no harm.
        with self._runtime.database.autocommit() as connection:
            if isinstance(blocked, Waiting):
                # A server is away for all its licence's messages, not only for the first.
                self._blocked = blocked
                known = ledger.find(connection, self._lane, [each.key for each in self._entries])
                self._note_final({key: row for key, row in known.items() if row.state.is_final})
                return
            self._thread = self._load_thread(connection, self._orders)
            opening = ledger.begin(connection, self._lane, self._entries)
        self._note_final(opening.final)
        self._untried = opening.begun

    def _note_final(self, final: dict[str, Known]) -> None:
        for entry in self._entries:
            if entry.key in final:
                self._settled[entry.key] = _known_already(final[entry.key], entry)

    def send(self) -> Iterator[list[Settled | Waiting]]:
        """Send one after the other; yield how they ended, in order, once the ledger has it.

        A message that must wait is the last one; those behind it have not been tried.

        Raises:
            LaneLostError: the lane is another worker's.
            sqlalchemy.exc.SQLAlchemyError, redis.exceptions.RedisError: a server of ours is away;
                what is not settled stays where it is and is taken up again.
        """
        outcomes: list[Settled | Waiting] = []
        try:
            for entry, order in zip(self._entries, self._orders, strict=True):
                if self._runtime.stopping.is_set():
                    break
                outcome = self._outcome(entry, order)
                outcomes.append(outcome)
                if isinstance(outcome, Waiting):
                    break
                self._settled[entry.key] = outcome
                if time.monotonic() - self._settled_at > SETTLE_S:
                    self._settle()
                    yield outcomes
                    outcomes = []
            self._give_back()
        finally:
            # What is in Mattermost is in the ledger whatever else went wrong.
            self._settle()
        yield outcomes

    def _outcome(self, entry: LaneEntry, order: Order | SendFailedError) -> Settled | Waiting:
        settled = self._settled.get(entry.key)
        if settled is not None:
            return replace(settled, task_id=entry.task_id, is_duplicate=True)
        if self._blocked is not None:
            return replace(self._blocked, key=entry.key)
        if isinstance(order, SendFailedError):
            return self._refuse(entry, order)
        wait = reason_to_wait(self._runtime, self._lane, entry)
        if isinstance(wait, Waiting):
            return wait
        if isinstance(wait, SendFailedError):
            return self._refuse(entry, wait)
        skip = reason_to_skip(order)
        if skip is not None:
            return self._skip(entry, skip)
        return self._deliver(entry, order)

    def _deliver(self, entry: LaneEntry, order: Order) -> Settled | Waiting:
        begun = self._untried.pop(entry.key)
        if self._thread is None and not isinstance(order.message, Notification):
            with self._runtime.database.connection() as connection:
                self._thread = self._load_thread(connection, [order])
        # Whatever happens to the thread now, only a message that arrives says what it is after.
        thread, self._thread = self._thread, None
        job = self._job(entry, order.licence)
        try:
            outcome = deliver(self._runtime, job, entry, order, thread=thread, begun=begun)
        except Exception as error:
            if not is_the_entrys_fault(error):
                raise
            return give_up(self._runtime, self._lane, entry, error)
        if not isinstance(outcome, Delivered):
            return outcome
        self._thread = outcome.thread
        self._delivered.append(outcome)
        return Settled(entry.key, entry.task_id, DeliveryState.SENT)

    def _load_thread(
        self, connection: Connection, orders: Sequence[Order | SendFailedError]
    ) -> Thread | None:
        wanted = [
            order for order in orders if isinstance(order, Order) and reason_to_skip(order) is None
        ]
        messages = [
            order.message for order in wanted if not isinstance(order.message, Notification)
        ]
        return load_thread(connection, messages, wanted[0].licence) if messages else None

    def _job(self, entry: LaneEntry, licence: LicenceAccess) -> Job:
        return Job(
            lane=self._lane,
            licence=licence,
            client=self._runtime.clients.of(licence),
            database=self._runtime.database,
            attachments=self._runtime.attachments,
            extend=self._extend,
            task_id=entry.task_id,
            enqueued_at_ms=entry.enqueued_at_ms,
            expired=has_expired(self._runtime, entry),
            payload=entry.payload,
        )

    def _refuse(self, entry: LaneEntry, failure: SendFailedError) -> Settled:
        with self._runtime.database.connection() as connection:
            return _refuse(connection, self._untried.pop(entry.key), entry, failure)

    def _skip(self, entry: LaneEntry, reason: StrEnum) -> Settled:
        with self._runtime.database.connection() as connection:
            ledger.mark_skipped(connection, self._untried.pop(entry.key).id, reason=reason)
        return Settled(entry.key, entry.task_id, DeliveryState.SKIPPED, reason.value)

    def _settle(self) -> None:
        """Tell the ledger what has been posted."""
        if self._delivered:
            thread = self._delivered[-1].thread
            with self._runtime.database.connection() as connection:
                ledger.mark_sent(connection, [each.sent for each in self._delivered])
                if thread is not None:
                    note_activity(connection, thread)
            self._delivered.clear()
        self._settled_at = time.monotonic()

    def _give_back(self) -> None:
        """Let the messages that were begun and not tried be as they were."""
        if self._untried:
            # The rows of a lane that was lost are another worker's by now.
            self._extend()
            with self._runtime.database.connection() as connection:
                ledger.give_back(connection, self._untried.values())


def give_up(runtime: Runtime, lane: Lane, entry: LaneEntry, error: Exception) -> Settled:
    """Let an entry that breaks us fail by itself, so that it does not block its lane for good."""
    # The text of an unforeseen error may quote a name or a message; where it arose does not.
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    where = [f"{frame.name}:{frame.lineno}" for frame in frames]
    log.error("message_broke_the_worker", lane=str(lane), key=entry.key, where=where)
    detail = f"{type(error).__name__} while it was handled; see the log"
    return refuse_entry(runtime, lane, entry, SendFailedError(OwnReason.INTERNAL_ERROR, detail))


def is_the_entrys_fault(error: Exception) -> bool:
    """Say whether trying again would go wrong again: no server of ours is away, no lane lost."""
    if isinstance(error, SQLAlchemyError):
        return is_about_the_data(error)
    return not isinstance(error, LaneLostError | RedisError)


def is_about_the_data(error: SQLAlchemyError) -> bool:
    """Say whether the database could not store a value, now or ever."""
    return isinstance(error, DataError) or type(error) is StatementError


def refuse_entry(
    runtime: Runtime, lane: Lane, entry: LaneEntry, failure: SendFailedError
) -> Settled:
    """Write down that an entry has failed whatever became of it so far, and say so."""
    with runtime.database.connection() as connection:
        opening = ledger.begin(connection, lane, [entry])
        if entry.key in opening.final:
            return _known_already(opening.final[entry.key], entry)
        return _refuse(connection, opening.begun[entry.key], entry, failure)


def _known_already(row: Known, entry: LaneEntry) -> Settled:
    return Settled(entry.key, entry.task_id, row.state, row.reason, row.detail, is_duplicate=True)


def _refuse(
    connection: Connection, begun: Begun, entry: LaneEntry, failure: SendFailedError
) -> Settled:
    detail = failure.detail
    if begun.must_look:
        detail += " An earlier attempt was broken off: it may be in Mattermost all the same."
    ledger.mark_failed(
        connection,
        begun.id,
        reason=failure.reason.value,
        detail=detail,
        payload=entry.payload,
    )
    return Settled(entry.key, entry.task_id, DeliveryState.FAILED, failure.reason.value, detail)
