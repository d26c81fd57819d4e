"""Send the first messages of a lane as a batch, with shared writes to the ledger.

Each message is sent by itself and in order. The ledger is written in one statement before the first
message, and in one transaction after the last. A worker that dies in between leaves rows in the
state ``sending``. The next worker looks in Mattermost for each of these messages.
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
from tasks.outbound.endings import Delivered, is_caused_by_entry
from tasks.outbound.job import Attempt, Head, Job, Step
from tasks.outbound.ledger import Begun, KnownDelivery
from tasks.outbound.marks import Mark
from tasks.outbound.message_clock import MessageClock
from tasks.outbound.opening import open_messages, reload_thread
from tasks.outbound.redraw import REDRAW_KEY
from tasks.outbound.threads import Thread
from tasks.outbound.verdicts import (
    CheckedMessage,
    check_entry,
    has_expired,
    judge,
    reason_to_wait,
)
from tasks.runtime import Runtime

# The ledger is at most this much behind Mattermost. So after a worker dies, the next worker has to
# look only for the messages that were sent within this time.
SETTLE_S = 0.5


def send_messages(
    runtime: Runtime, lane: Lane, heads: Sequence[Head], *, extend: Callable[[], None]
) -> Iterator[Step]:
    """Begin these messages and return the steps in which they are sent; see ``Batch.send``.

    This function is not a generator, so that the messages are begun at the call.
    """
    try:
        batch = Batch(runtime, lane, heads, extend=extend)
        batch.begin()
        return batch.send()
    except Exception as error:
        if not is_caused_by_entry(error):
            raise
        if len(heads) == 1:
            given_up = endings.give_up(runtime, lane, heads[0].entry, error)
            return iter([Step(list(heads), [given_up])])
    # One of the messages raises an unexpected error: handle each by itself, so that the others are
    # sent.
    return chain.from_iterable(
        send_messages(runtime, lane, [head], extend=extend) for head in heads
    )


class Batch:
    """The first messages of one lane, whose lock the caller holds."""

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
        self._messages = [(head, check_entry(runtime, lane, head.entry)) for head in heads]
        self._settled: dict[str, Settled] = {}
        self._untried: dict[str, Begun] = {}
        self._blocked: Waiting | None = None
        self._thread: Thread | None = None
        # Whether messages may be missing in the thread that no post names yet.
        self._may_miss_messages = True
        # The messages that have been posted and are not recorded as sent yet.
        self._delivered: list[Delivered] = []
        self._written_at = time.monotonic()

    def begin(self) -> None:
        """Record in the ledger that the messages are being sent, unless the licence has to wait."""
        entries = [head.entry for head, _ in self._messages]
        blocked = reason_to_wait(self._runtime, self._lane, entries[0])
        if isinstance(blocked, Waiting):
            # All messages of the licence have to wait for its server, not only the first.
            self._blocked = blocked
            with self._runtime.database.reading() as connection:
                known = ledger.find(connection, self._lane, [entry.key for entry in entries])
            final = {key: row for key, row in known.items() if row.state.is_final}
        else:
            final = self._open(entries)
        self._note_final(entries, final)

    def _open(self, entries: Sequence[LaneEntry]) -> dict[str, KnownDelivery]:
        """Begin the messages and store their changes of the conversation; return the final ones.

        Both are one transaction: a message that is new to the ledger has changed nothing yet.
        """
        # A change of the conversation gets a row in the ledger only if it fails.
        messages = [entry for entry in entries if entry.kind != DeliveryKind.CONVERSATION]
        said = [(head.entry.key, message) for head, message in self._messages]
        opening, self._thread = open_messages(self._runtime.database, self._lane, messages, said)
        self._may_miss_messages = self._thread is not None and self._thread.misses_messages
        self._untried = opening.begun
        return opening.final

    def _note_final(self, entries: Sequence[LaneEntry], final: dict[str, KnownDelivery]) -> None:
        for entry in entries:
            if entry.key in final:
                self._settled[entry.key] = endings.settle_duplicate(final[entry.key], entry)

    def send(self) -> Iterator[Step]:
        """Send the messages in order; yield their outcomes in order, once the ledger has them.

        If a message must wait, the messages behind it are not tried.

        Raises:
            LockLostError: another worker holds the lane.
            sqlalchemy.exc.SQLAlchemyError, redis.exceptions.RedisError: the database or Redis is
                away. Messages without an outcome stay in their lane and are tried again.
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
                    # The last message stays in its lane until the card is drawn.
                    if head is not self._messages[-1][0]:
                        yield step
                        step = Step([], [])
            self._give_back()
            self._draw()
        finally:
            # Messages that are in Mattermost must be in the ledger, even after an error.
            self._write_sent()
        yield step

    def _outcome(
        self, entry: LaneEntry, message: CheckedMessage | SendFailedError
    ) -> Settled | Waiting:
        """Send one message, if it has to be sent now, and return its outcome."""
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
            if not is_caused_by_entry(error):
                raise
            return endings.give_up(self._runtime, self._lane, entry, error)
        if not isinstance(outcome, Delivered):
            return outcome
        self._thread = outcome.thread
        if isinstance(message.message, ChatMessage):
            # A root post names no missing messages, and a post of an earlier worker may not either.
            self._may_miss_messages = missing_messages.stay_unnamed(attempt)
        self._delivered.append(outcome)
        return Settled(entry.key, entry.task_id, DeliveryState.SENT)

    def _attempt(self, entry: LaneEntry) -> Attempt:
        begun = self._untried.pop(entry.key)
        # A message that was begun before may have claimed missing messages.
        looks = self._may_miss_messages or begun.before is not ledger.NEW
        return Attempt(begun, Mark.of(self._lane, entry.key), looks_for_missing=looks)

    def _unsent(
        self, entry: LaneEntry, message: CheckedMessage | SendFailedError
    ) -> Settled | Waiting | None:
        """Return the outcome of a message that is not sent now; None: send the message."""
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
        """Record a change of the conversation, which the root post shows after the batch."""
        if isinstance(message, SendFailedError):
            if entry.key == REDRAW_KEY:
                return Settled(entry.key, entry.task_id, DeliveryState.SKIPPED, message.reason)
            return endings.refuse_entry(self._runtime, self._lane, entry, message)
        waiting = reason_to_wait(self._runtime, self._lane, entry)
        if isinstance(waiting, Waiting):
            return waiting
        # An expired change is not held back: it counts as sent, and the next message shows it.
        self._reload_thread(entry, message)
        return Settled(entry.key, entry.task_id, DeliveryState.SENT)

    def _reload_thread(self, entry: LaneEntry, message: CheckedMessage) -> None:
        """Load the thread again if it is not known any more; its changes are already stored."""
        if self._thread is None:
            self._thread = reload_thread(self._runtime.database, [(entry.key, message)])

    def _take_thread(self, entry: LaneEntry, message: CheckedMessage) -> Thread | None:
        """Return the conversation's thread, or None for a notification, and forget the thread.

        If the message fails, the thread's state is unknown and has to be loaded again.
        """
        self._reload_thread(entry, message)
        thread, self._thread = self._thread, None
        return thread

    def _draw(self) -> None:
        """Draw the root post, if it has changes that no message of this batch has drawn."""
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
            # Fails if the lane is lost: another worker may use these rows by now.
            self._extend()
            endings.give_back(self._runtime.database, self._untried.values())
