"""Enqueue a load: messages of many conversations in bursts, some enqueued or delivered twice."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Condition
from typing import Any

from sqlalchemy import func, select

from models import Conversation, Delivery, DeliveryState
from tests.stage.deployed import DeployedStage
from tests.stage.deployment import HostProcess
from tests.waiting import wait_until

LICENCES = ("L1", "L2", "L3")
LONGEST_BURST = 5
# The share of messages that i-Reserve enqueues twice, and the share of messages after which the
# broker delivers an earlier Celery message again.
DUPLICATES = REDELIVERIES = 0.1
# For this time i-Reserve repeats a call of `.delay()` that raised an error.
HOST_RETRIES_FOR_S = 60.0
# The pause between two such calls.
HOST_PAUSE_S = 0.2
# Long enough for a full load on a busy machine.
PROGRESS_TIMEOUT_S = 180.0
# Rarely enough that the checks do not slow down the processes.
LOOK_EVERY_S = 0.1
# More requests than can be in progress at the same time, to find one of them.
LATEST = 50
# Longer than the server takes for a post when nothing is wrong with it.
HELD_UP_MS = 200
FILE = "photo.txt"

_FINAL_MESSAGES = (Delivery.finished_at.is_not(None), Delivery.kind == "reply")


@dataclass(frozen=True, slots=True)
class Size:
    """The number of conversations and of messages in each, and the pause between messages.

    Each ``file_every``-th message has a file; 0 means none has.
    """

    conversations: int
    messages: int
    pause_s: float = 0.0
    file_every: int = 0

    @property
    def total(self) -> int:
        """The number of all messages."""
        return self.conversations * self.messages


@dataclass(slots=True)
class Load:
    """The messages that i-Reserve enqueues, and their progress."""

    stage: DeployedStage
    size: Size
    rng: random.Random
    enqueued_at_ms: dict[tuple[str, str], float] = field(default_factory=dict)
    duplicates: int = 0
    redeliveries: int = 0
    _enqueuing: Future[None] | None = None
    _limit: int | None = None
    _gate: Condition = field(default_factory=Condition)
    _arrived: int = 0
    _last_seq: int = 0

    def conversations(self, licences: Sequence[str] = LICENCES) -> list[str]:
        """Return the ids of these licences' conversations."""
        every = [f"c{number}" for number in range(self.size.conversations)]
        return [conversation for conversation in every if licence_of(conversation) in licences]

    def is_answered(self) -> bool:
        """Return whether the last message of each conversation is an agent's."""
        return role_of(self.message_ids[-1]) == "agent"

    @property
    def message_ids(self) -> list[str]:
        """The ids of each conversation's messages, in order."""
        return [str(number) for number in range(self.size.messages)]

    @contextmanager
    def enqueueing(self, host: HostProcess) -> Iterator[None]:
        """Enqueue all messages in the background; the block ends when all are enqueued."""
        with ThreadPoolExecutor(1) as background:
            self._enqueuing = background.submit(self._run, host)
            yield
            self._enqueuing.result()

    def hold_at(self, share: float) -> None:
        """Enqueue no more than this share of the messages, until ``go_on``."""
        with self._gate:
            self._limit = round(self.size.total * share)

    def go_on(self) -> None:
        """Enqueue the rest of the messages."""
        with self._gate:
            self._limit = None
            self._gate.notify_all()

    def wait_until_enqueued(self) -> None:
        """Wait until i-Reserve has enqueued all messages."""
        assert self._enqueuing is not None
        self._enqueuing.result(PROGRESS_TIMEOUT_S)

    def wait_until_arrived(self, share: float) -> None:
        """Wait until this share of the messages has been requested at the server."""
        wait_until(
            lambda: self._count_arrived() >= self.size.total * share,
            timeout_s=PROGRESS_TIMEOUT_S,
            poll_s=LOOK_EVERY_S,
            what=f"{share:.0%} of the load at the server",
        )

    def wait_until_under_way(self) -> None:
        """Wait until the server is making a post."""
        wait_until(self._is_under_way, timeout_s=PROGRESS_TIMEOUT_S, what="a post that is made")

    def states(self) -> dict[tuple[str, str], str]:
        """Return the state of each finished message, by conversation and message id."""
        query = select(Delivery.lane, Delivery.key, Delivery.state).where(*_FINAL_MESSAGES)
        with self.stage.database.transaction() as session:
            return {
                (lane.split(":")[2], key.removeprefix("reply:")): state.value
                for lane, key, state in session.execute(query)
            }

    def count_final(self, licences: Sequence[str] = LICENCES) -> int:
        """Return the number of finished messages of these licences."""
        query = select(func.count()).where(*_FINAL_MESSAGES, Delivery.licence_id.in_(licences))
        with self.stage.database.transaction() as session:
            return session.scalar(query) or 0

    def unsettled(self) -> set[str]:
        """Return the conversations with an unsettled message, whose answer was lost."""
        query = select(Delivery.lane).where(Delivery.state == DeliveryState.UNSETTLED)
        with self.stage.database.transaction() as session:
            return {lane.split(":")[2] for lane in session.scalars(query)}

    def held_up(self) -> set[str]:
        """Return the conversations with a post that the server has not finished for 200 ms."""
        before_ms = time.time() * 1_000 - HELD_UP_MS
        return {
            entry.props["ireserve"]["conversation_id"]
            for entry in self.stage.stand_in.received(method="POST", path="/posts")
            if not entry.outcome and entry.props and entry.time_ms < before_ms
        }

    def first_lines(self) -> dict[str, str]:
        """Return the first line of each conversation's root, as a member sees it."""
        with self.stage.database.transaction() as session:
            of_root = {
                row.root_post_id: row.conversation_id
                for row in session.scalars(select(Conversation))
                if row.root_post_id is not None
            }
        posts = self.stage.member().get_posts_by_ids(list(of_root))
        return {of_root[post.id]: post.message.splitlines()[0] for post in posts}

    def enqueue_again(self, host: HostProcess, conversation: str) -> None:
        """Enqueue the conversation's first message again, by the task's name.

        This always wakes a worker, as a Celery message that is delivered twice does.
        """
        message = self._message(conversation, self.message_ids[0])
        answer = host.send_by_name("mattermost.post_reply", **message)
        assert answer["ok"], answer
        self.duplicates += 1

    def _count_arrived(self) -> int:
        assert self._enqueuing is not None
        if self._enqueuing.done():
            # Raise the error that stopped i-Reserve, if any.
            self._enqueuing.result()
        new = self.stage.stand_in.received(method="POST", path="/posts", after_seq=self._last_seq)
        if new:
            self._arrived += len(new)
            self._last_seq = new[-1].seq
        return self._arrived

    def _is_under_way(self) -> bool:
        latest = self.stage.stand_in.received(
            method="POST", path="/posts", after_seq=self._last_seq - LATEST
        )
        return any(not entry.outcome for entry in latest)

    def _run(self, host: HostProcess) -> None:
        left = {conversation: iter(self.message_ids) for conversation in self.conversations()}
        while left:
            conversation = self.rng.choice(list(left))
            for _ in range(self.rng.randint(1, LONGEST_BURST)):
                message_id = next(left[conversation], None)
                if message_id is None:
                    del left[conversation]
                    self._end(host, conversation)
                    break
                self._enqueue(host, conversation, message_id)
                time.sleep(self.size.pause_s)

    def _end(self, host: HostProcess, conversation: str) -> None:
        if is_closed(conversation):
            ids = {"licence_id": licence_of(conversation), "conversation_id": conversation}
            _delay(host, {**ids, "revision": 1, "state": "closed"}, task="update_conversation")

    def _enqueue(self, host: HostProcess, conversation: str, message_id: str) -> None:
        with self._gate:
            self._gate.wait_for(self._may_enqueue, PROGRESS_TIMEOUT_S)
        message = self._message(conversation, message_id)
        self.enqueued_at_ms[conversation, message_id] = _delay(host, message)
        if self.rng.random() < DUPLICATES:
            _delay(host, message)
            self.duplicates += 1
        if self.rng.random() < REDELIVERIES:
            # A broker that cannot be reached at this time delivers nothing.
            self.redeliveries += host.redeliver()["ok"]

    def _may_enqueue(self) -> bool:
        return self._limit is None or len(self.enqueued_at_ms) < self._limit

    def _message(self, conversation: str, message_id: str) -> dict[str, Any]:
        every = self.size.file_every
        has_file = every and int(message_id) % every == 0
        return {
            "licence_id": licence_of(conversation),
            "conversation_id": conversation,
            "message_id": message_id,
            "sender_name": "Jan",
            "sender_role": role_of(message_id),
            "text": f"message {message_id}",
            "attachments": [{"name": FILE, "path": FILE}] if has_file else [],
        }


def licence_of(conversation: str) -> str:
    """Return the licence of the conversation."""
    return LICENCES[int(conversation.removeprefix("c")) % len(LICENCES)]


def is_closed(conversation: str) -> bool:
    """Return whether i-Reserve closes the conversation at its end."""
    return int(conversation.removeprefix("c")) % 4 == 0


def role_of(message_id: str) -> str:
    """Return the sender's role: an agent's message follows two of the visitor."""
    return "agent" if int(message_id) % 3 == 2 else "visitor"


def _delay(host: HostProcess, message: dict[str, Any], *, task: str = "post_reply") -> float:
    """Enqueue, and retry while Redis is away, as the README says; return the time (ms)."""
    deadline = time.monotonic() + HOST_RETRIES_FOR_S
    while True:
        called_at_ms = time.time() * 1_000
        answer = host.delay(task, **message)
        if answer["ok"]:
            return called_at_ms
        assert time.monotonic() < deadline, answer
        time.sleep(HOST_PAUSE_S)
