"""A load with faults in the middle of it, and what must be true of it afterwards."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import select

from models import Database, Delivery
from tests.acceptance.conftest import Site
from tests.deployment import Host, Running
from tests.waiting import wait_until

LONGEST_BURST = 5
# i-Reserve calls again when `.delay()` raised, for as long as this.
HOST_PATIENCE_S = 60.0
# The share of messages that i-Reserve enqueues twice.
DUPLICATES = 0.1


@dataclass(slots=True)
class Supervisor:
    """What a process manager does: a worker that ends is started again."""

    site: Site
    workers: list[Running] = field(default_factory=list)
    restarts: int = 0
    _stopped: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self, workers: int) -> None:
        """Start the workers, then watch them."""
        self.workers = [self.site.deployment.start_worker() for _ in range(workers)]
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def kill(self, dice: random.Random, with_signal: int = signal.SIGKILL) -> None:
        """Send the signal to one of the workers; it is started again by itself."""
        self.workers[dice.randrange(len(self.workers))].send_signal(with_signal)

    def stop(self) -> None:
        """Watch no longer."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        while not self._stopped.wait(0.1):
            for index, worker in enumerate(self.workers):
                if worker.process.poll() is not None:
                    self.restarts += 1
                    self.workers[index] = self.site.deployment.start("worker")


@dataclass(slots=True)
class Load:
    """Messages of many conversations in bursts, some of them enqueued twice."""

    site: Site
    licences: tuple[str, ...]
    conversations: int
    messages: int
    seed: int
    enqueued: int = 0
    enqueuing: Future[None] | None = None

    @property
    def total(self) -> int:
        """Return how many messages there are."""
        return self.conversations * self.messages

    def wait_until_enqueued(self, share: float) -> None:
        """Wait until this share of the messages is enqueued; raise what stopped the host."""
        assert self.enqueuing is not None
        enqueuing = self.enqueuing
        wait_until(
            lambda: enqueuing.done() or self.enqueued > self.total * share,
            timeout_s=120,
            what="some of the load",
        )
        if enqueuing.done():
            enqueuing.result()

    def licence_of(self, conversation: int) -> str:
        """Return whose conversation it is."""
        return self.licences[conversation % len(self.licences)]

    def run(self, host: Host, *, pause_s: float = 0.0) -> None:
        """Enqueue everything; call again when Redis is away, as the README says."""
        dice = random.Random(self.seed)
        left = {
            conversation: iter(range(self.messages)) for conversation in range(self.conversations)
        }
        while left:
            conversation = dice.choice(list(left))
            for _ in range(dice.randint(1, LONGEST_BURST)):
                number = next(left[conversation], None)
                if number is None:
                    del left[conversation]
                    break
                self._enqueue(host, conversation, number)
                if dice.random() < DUPLICATES:
                    self._enqueue(host, conversation, number)
                self.enqueued += 1
                time.sleep(pause_s)

    def _enqueue(self, host: Host, conversation: int, number: int) -> None:
        deadline = time.monotonic() + HOST_PATIENCE_S
        while True:
            answer = host.delay(
                "post_reply",
                self.licence_of(conversation),
                f"c{conversation}",
                message_id=str(number),
                sender_name="Jan",
                sender_role="visitor",
                text=f"message {number}",
            )
            if answer["ok"]:
                return
            assert time.monotonic() < deadline, answer
            time.sleep(0.2)

    def settled(self, database: Database) -> dict[tuple[str, str], str]:
        """Return the state of each message that is final, by lane and key."""
        with database.transaction() as session:
            rows = session.execute(
                select(Delivery.lane, Delivery.key, Delivery.state).where(
                    Delivery.finished_at.is_not(None), Delivery.kind == "reply"
                )
            )
            return {(lane, key): state.value for lane, key, state in rows}

    def wait_until_settled(self, database: Database, *, timeout_s: float = 60.0) -> None:
        """Wait until each message is sent or failed, without anybody's help."""
        wait_until(
            lambda: len(self.settled(database)) >= self.total,
            timeout_s=timeout_s,
            what=f"all of {self.total} messages settled",
        )

    def assert_kept_its_promises(self, database: Database) -> Counter[str]:
        """Each message is in Mattermost once and in order, or failed and nowhere; one root each."""
        posted, roots = self._posted()
        states = self.settled(database)
        expected = {
            (f"{self.licence_of(conversation)}:c:c{conversation}", f"reply:{number}")
            for conversation in range(self.conversations)
            for number in range(self.messages)
        }
        assert set(states) == expected
        for conversation in range(self.conversations):
            lane = f"{self.licence_of(conversation)}:c:c{conversation}"
            numbers = [str(n) for n in range(self.messages) if states[lane, f"reply:{n}"] == "sent"]
            assert posted[f"c{conversation}"] == numbers, (lane, posted[f"c{conversation}"])
            assert len(roots[f"c{conversation}"]) <= 1, lane
        return Counter(states.values())

    def _posted(self) -> tuple[dict[str, list[str]], dict[str, set[str]]]:
        posted: defaultdict[str, list[str]] = defaultdict(list)
        roots: defaultdict[str, set[str]] = defaultdict(set)
        for entry in self.site.accepted():
            assert entry.props is not None
            mark = entry.props["ireserve"]
            if entry.root_id:
                posted[mark["conversation_id"]].append(mark["message_id"])
            else:
                roots[mark["conversation_id"]].add(entry.post_id)
        return posted, roots


@contextmanager
def under_load(
    site: Site, load: Load, *, workers: int = 2, pause_s: float = 0.0
) -> Iterator[Supervisor]:
    """Run the load in the background; the block brings the faults; at its end all is enqueued."""
    for licence_id in load.licences:
        if licence_id not in site.channel_ids:
            site.add_licence(licence_id)
    supervisor = Supervisor(site)
    supervisor.start(workers)
    site.deployment.start("beat")
    host = site.deployment.start_host()
    with ThreadPoolExecutor(1) as background:
        load.enqueuing = background.submit(load.run, host, pause_s=pause_s)
        try:
            yield supervisor
            load.enqueuing.result(300)
        finally:
            supervisor.stop()
