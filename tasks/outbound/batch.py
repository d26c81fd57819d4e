"""The first messages of a lane, begun together and settled together.

Each is sent by itself and in its turn; only the ledger's part is shared, one statement before the
first is sent and one transaction after the last. A worker that dies in between leaves rows that
say ``sending``: the next worker looks in Mattermost for each of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import chain

from structlog.contextvars import bound_contextvars

from ireserve_mattermost.lanes import Lane, LaneEntry
from ireserve_mattermost.messages import ChatMessage
from models import DeliveryKind, DeliveryState
from tasks.failures import SendFailedError, Settled, UndecidedError, Waiting
from tasks.licences.access import LicenceAccess
from tasks.outbound import endings, ledger, missing_messages
from tasks.outbound.card import draw
from tasks.outbound.delivery import deliver
from tasks.outbound.endings import Delivered, is_the_entrys_fault
from tasks.outbound.job import Attempt, Head, Job, Step
from tasks.outbound.ledger import Begun, KnownDelivery
from tasks.outbound.marks import Mark
from tasks.outbound.message_clock import MessageClock
from tasks.outbound.opening import open_messages, reload_thread
from tasks.outbound.redraw import REDRAW_KEY
from tasks.outbound.threads import Thread
from tasks.outbound.verdicts import (
    CheckedMessage,
    has_expired,
    judge,
    read,
    reason_to_wait,
)
from tasks.runtime import Runtime

# The ledger lags behind Mattermost by this much at the most, and so a worker that dies leaves only
# what it sent within this time to be looked for.
SETTLE_S = 0.5


def send_messages(
    runtime: Runtime, lane: Lane, heads: Sequence[Head], *, extend: Callable[[], None]
) -> Iterator[Step]:
    """Begin these messages and return the steps in which they are sent; see ``Batch.send``.

    Not a generator itself: the steps come straight from the batch.
    """
    try:
        batch = Batch(runtime, lane, heads, extend=extend)
        batch.begin()
        return batch.send()
    except Exception as error:
        if not is_the_entrys_fault(error):
            raise
        if len(heads) == 1:
            given_up = endings.give_up(runtime, lane, heads[0].entry, error)
            return iter([Step(list(heads), [given_up])])
    # One of them breaks this code: each by itself, so that the others are sent.
    return chain.from_iterable(
        send_messages(runtime, lane, [head], extend=extend) for head in heads
    )


class Batch:
    """Messages from the head of one lane, which the caller has the lock of."""

    def __init__(
        self,
        runtime: Runtime,
        lane: Lane,
        heads: Sequence[Head],
        *,
        extend: Callable[[], None],
    ) -> None:
        self._runtime = runtime
        self._lane = lane
        self._extend = extend
        self._messages = [(head, read(runtime, lane, head.entry)) for head in heads]
        self._settled: dict[str, Settled] = {}
        self._untried: dict[str, Begun] = {}
        self._blocked: Waiting | None = None
        self._thread: Thread | None = None
        # Whether the thread misses messages that no message names.
        self._may_miss_messages = True
        # What has been posted and is not in the ledger yet.
        self._delivered: list[Delivered] = []
        self._written_at = time.monotonic()

    def begin(self) -> None:
        """Write down that the messages are being sent, unless the licence has to wait."""
        entries = [head.entry for head, _ in self._messages]
        blocked = reason_to_wait(self._runtime, self._lane, entries[0])
        if isinstance(blocked, Waiting):
            # A server is away for all its licence's messages, not only for the first.
            self._blocked = blocked
            with self._runtime.database.reading() as connection:
                known = ledger.find(connection, self._lane, [entry.key for entry in entries])
            final = {key: row for key, row in known.items() if row.state.is_final}
        else:
            final = self._open(entries)
        self._note_final(entries, final)

    def _open(self, entries: Sequence[LaneEntry]) -> dict[str, KnownDelivery]:
        """Begin the messages and store what they tell of the conversation; return the final ones.

        Both or neither: a message that is new to the ledger has told nothing yet.
        """
        # A change of the conversation is in the ledger only if it fails.
        messages = [entry for entry in entries if entry.kind != DeliveryKind.CONVERSATION]
        said = [(head.entry.key, message) for head, message in self._messages]
        opening, self._thread = open_messages(self._runtime.database, self._lane, messages, said)
        self._may_miss_messages = self._thread is not None and self._thread.misses_messages
        self._untried = opening.begun
        return opening.final

    def _note_final(self, entries: Sequence[LaneEntry], final: dict[str, KnownDelivery]) -> None:
        for entry in entries:
            if entry.key in final:
                self._settled[entry.key] = endings.known_already(final[entry.key], entry)

    def send(self) -> Iterator[Step]:
        """Send one after the other; yield how they ended, in order, once the ledger has it.

        A message that must wait is the last one; those behind it have not been tried.

        Raises:
            LockLostError: the lane is another worker's.
            sqlalchemy.exc.SQLAlchemyError, redis.exceptions.RedisError: one of our servers is away;
                what is not settled stays where it is and is taken up again.
        """
        step = Step([], [])
        try:
            for head, message in self._messages:
                if self._runtime.stopping.is_set():
                    break
                with bound_contextvars(correlation_id=head.entry.correlation_id):
                    outcome = self._outcome(head.entry, message)
                if isinstance(outcome, Waiting):
                    step = replace(step, waiting=outcome)
                    break
                self._settled[head.entry.key] = outcome
                self._may_miss_messages |= outcome.state is DeliveryState.FAILED
                step.heads.append(head)
                step.settled.append(outcome)
                if time.monotonic() - self._written_at > SETTLE_S:
                    self._write_sent()
                    # The last message is in its lane until the card is drawn.
                    if head is not self._messages[-1][0]:
                        yield step
                        step = Step([], [])
            self._give_back()
            self._draw()
        finally:
            # What is in Mattermost is in the ledger whatever else went wrong.
            self._write_sent()
        yield step

    def _outcome(
        self, entry: LaneEntry, message: CheckedMessage | SendFailedError
    ) -> Settled | Waiting:
        """Send one message, if it is to be sent now, and return how it ended."""
        try:
            if entry.kind == DeliveryKind.CONVERSATION:
                return self._note_change(entry, message)
            unsent = self._unsent(entry, message)
            if unsent is not None:
                return unsent
            assert isinstance(message, CheckedMessage)
            attempt = self._attempt(entry)
            job, thread = self._job(entry, message.licence), self._take_thread(entry, message)
            with self._runtime.shares.message(self._lane.licence_id):
                outcome = deliver(
                    self._runtime, job, entry, message, thread=thread, attempt=attempt
                )
        except Exception as error:
            if not is_the_entrys_fault(error):
                raise
            return endings.give_up(self._runtime, self._lane, entry, error)
        if not isinstance(outcome, Delivered):
            return outcome
        self._thread = outcome.thread
        if isinstance(message.message, ChatMessage):
            # A root names none, and one that an earlier worker has posted may not either.
            is_named = missing_messages.are_named(attempt)
            self._may_miss_messages = bool(attempt.missing) and not is_named
        self._delivered.append(outcome)
        return Settled(entry.key, entry.task_id, DeliveryState.SENT)

    def _attempt(self, entry: LaneEntry) -> Attempt:
        begun = self._untried.pop(entry.key)
        # One that was begun before may have claimed some.
        looks = self._may_miss_messages or begun.before is not ledger.NEW
        return Attempt(begun, Mark.of(self._lane, entry.key), looks_for_missing=looks)

    def _unsent(
        self, entry: LaneEntry, message: CheckedMessage | SendFailedError
    ) -> Settled | Waiting | None:
        """Return how a message ends that is not sent now; None: send it."""
        settled = self._settled.get(entry.key)
        if settled is not None:
            return replace(settled, task_id=entry.task_id, is_duplicate=True)
        if self._blocked is not None:
            return replace(self._blocked, key=entry.key)
        verdict = judge(self._runtime, self._lane, entry, message)
        if verdict is None or isinstance(verdict, Waiting):
            return verdict
        begun = self._untried.pop(entry.key)
        if isinstance(verdict, SendFailedError):
            return endings.refuse(self._runtime, begun, entry, verdict)
        return endings.skip(self._runtime.database, begun, entry, verdict)

    def _note_change(
        self, entry: LaneEntry, message: CheckedMessage | SendFailedError
    ) -> Settled | Waiting:
        """Store what i-Reserve says of the conversation; the root shows it at the end."""
        if isinstance(message, SendFailedError):
            if entry.key == REDRAW_KEY:
                return Settled(entry.key, entry.task_id, DeliveryState.SKIPPED, message.reason)
            return endings.refuse_entry(self._runtime, self._lane, entry, message)
        waiting = reason_to_wait(self._runtime, self._lane, entry)
        if isinstance(waiting, Waiting):
            return waiting
        # It has waited for as long as a message may: then the next message shows it.
        self._reload_thread(entry, message)
        return Settled(entry.key, entry.task_id, DeliveryState.SENT)

    def _reload_thread(self, entry: LaneEntry, message: CheckedMessage) -> None:
        """Read the thread again if it is not known any more; what was told of it is stored."""
        if self._thread is None:
            self._thread = reload_thread(self._runtime.database, [(entry.key, message)])

    def _take_thread(self, entry: LaneEntry, message: CheckedMessage) -> Thread | None:
        """Return the conversation's thread, None for a notification.

        Whatever happens to it now, only a message that arrives says what it is after.
        """
        self._reload_thread(entry, message)
        thread, self._thread = self._thread, None
        return thread

    def _draw(self) -> None:
        """Let the root show what is new and no message of this batch has shown."""
        thread, (head, message) = self._thread, self._messages[-1]
        is_due = thread is not None and thread.root_post_id and thread.is_to_be_drawn
        if thread is None or not is_due or self._blocked or isinstance(message, SendFailedError):
            return
        with self._runtime.shares.message(self._lane.licence_id), suppress(UndecidedError):
            self._thread = draw(self._job(head.entry, message.licence), thread)

    def _job(self, entry: LaneEntry, licence: LicenceAccess) -> Job:
        clock = MessageClock(self._extend)
        return Job(
            lane=self._lane,
            licence=licence,
            client=self._runtime.clients.of(licence),
            database=self._runtime.database,
            attachments=self._runtime.attachments,
            extend=clock.extend,
            extend_for_files=clock.extend_for_files,
            send_by=clock.send_by,
            task_id=entry.task_id,
            enqueued_at_ms=entry.enqueued_at_ms,
            expired=has_expired(self._runtime, entry),
            payload=entry.payload,
            tells_outcomes=self._runtime.settings.outcome_task is not None,
        )

    def _write_sent(self) -> None:
        endings.write_sent(self._runtime.database, self._delivered)
        self._delivered.clear()
        self._written_at = time.monotonic()

    def _give_back(self) -> None:
        if self._untried:
            # The rows of a lane that was lost are another worker's by now.
            self._extend()
            endings.give_back(self._runtime.database, self._untried.values())
