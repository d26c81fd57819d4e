"""What other licences may bring upon the workers, and what the healthy ones notice of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any

from tasks.licences.circuit import FAILURES_TO_OPEN
from tests.stage.many_servers import Trouble
from tests.stage.shared_workers import Delays, SharedWorkers, shared_workers
from tests.waiting import wait_until

# What the healthy licences may notice: in the first second, and from the second one on.
FIRST_P95_MS, LATER_P95_MS = 1_000.0, 250.0
MOST_GROWTH, MOST_MORE_MS = 1.25, 20.0
CALM_S = 6.0
FIRST_S = 1.0
SLOW = tuple(f"slow-{number}" for number in range(100))
SLOW_CONVERSATIONS = 20
LATE_S = 15.0
ONE = ("one",)
BURST = 8_000
ALIVE_S, BACK_S = 0.02, 0.06
# Beat's sweep sends a due probe within 5 s; the next one is due 30 s after the last.
BACK_WITHIN_S = 60.0
LOOK_EVERY_S = 0.1

Step = Callable[[SharedWorkers], None]
# Returns the moment (epoch) at which it began.
Begin = Callable[[SharedWorkers], float]


@dataclass(frozen=True, slots=True)
class Noticed:
    """How long the healthy licences' messages took, and the most that was in the queue."""

    calm: Delays
    first_second: Delays
    later: Delays
    most_queued: int

    def row(self) -> dict[str, Any]:
        """Return the figures side by side."""
        named = {"calm": self.calm, "first": self.first_second, "later": self.later}
        figures = {
            f"{name}_{figure}": getattr(delays, figure)
            for name, delays in named.items()
            for figure in ("median_ms", "p95_ms")
        }
        return {**figures, "most_queued": self.most_queued}


def allowed_median_ms(noticed: Noticed) -> float:
    """Return how long the healthy licences' median may be, by what it was in the calm."""
    return MOST_GROWTH * noticed.calm.median_ms + MOST_MORE_MS


@dataclass(frozen=True, slots=True)
class Burden:
    """What these licences do: before the calm, and at one moment. It is watched for a while."""

    name: str
    licences: Sequence[str]
    begin: Begin
    watched_s: float
    prepare: Step = lambda workers: None

    def __str__(self) -> str:
        """Return how a test's name tells it."""
        return self.name

    def measure(self, directory: Path, *, database_url: str) -> Noticed:
        """Run workers, a calm while and then this; return what the healthy licences noticed."""
        with shared_workers(directory, database_url=database_url, others=self.licences) as workers:
            self.prepare(workers)
            with workers.load.running():
                calm = time.time()
                time.sleep(CALM_S)
                with _watching_queue(workers) as most:
                    began = self.begin(workers)
                    ended = began + self.watched_s
                    time.sleep(max(0.0, ended - time.time()))
            return Noticed(
                workers.load.between(calm, calm + CALM_S),
                workers.load.between(began, began + FIRST_S),
                workers.load.between(began + FIRST_S, ended),
                most[0],
            )


@contextmanager
def _watching_queue(workers: SharedWorkers) -> Iterator[list[int]]:
    """Yield a list with the most Celery messages that have been in the queue up to now."""
    most, stopped = [0], Event()

    def look() -> None:
        while not stopped.wait(LOOK_EVERY_S):
            most[0] = max(most[0], workers.queue_length())

    thread = Thread(target=look)
    thread.start()
    try:
        yield most
    finally:
        stopped.set()
        thread.join()


def _slow_servers(trouble: Trouble | None, *, service_s: float = 0.0) -> Begin:
    def begin(workers: SharedWorkers) -> float:
        workers.others.behave(list(SLOW), trouble=trouble, service_s=service_s)
        began = time.time()
        workers.enqueue(SLOW, conversations=SLOW_CONVERSATIONS)
        return began

    return begin


def _burst(workers: SharedWorkers) -> float:
    began = time.time()
    workers.enqueue(ONE, conversations=BURST)
    return began


def _alive(workers: SharedWorkers) -> None:
    workers.others.behave(list(ONE), service_s=ALIVE_S)


def _die(workers: SharedWorkers) -> None:
    """Let the licence's server cut each connection until its circuit is open."""
    workers.others.behave(list(ONE), trouble=Trouble.CUTS)
    workers.enqueue(ONE, conversations=FAILURES_TO_OPEN)
    wait_until(lambda: workers.is_left_alone(ONE[0]), what="an open circuit")


def _die_with_a_burst(workers: SharedWorkers) -> None:
    _die(workers)
    _burst(workers)


def _come_back(workers: SharedWorkers) -> float:
    """Let the server answer again, and wait for the probe that finds it."""
    workers.others.behave(list(ONE), service_s=BACK_S)
    wait_until(
        lambda: not workers.is_left_alone(ONE[0]), timeout_s=BACK_WITHIN_S, what="a closed circuit"
    )
    return time.time()


# The first calls end after 20 s: what comes then is watched as well.
SLOW_BURDENS = (
    Burden("100 licences hang", SLOW, _slow_servers(Trouble.HANGS), 26.0),
    Burden("100 licences drip", SLOW, _slow_servers(Trouble.DRIPS), 26.0),
    Burden("100 licences answer after 15 s", SLOW, _slow_servers(None, service_s=LATE_S), 26.0),
)
BURSTS = (
    Burden("burst, server alive", ONE, _burst, 12.0, _alive),
    Burden("burst, server dead", ONE, _burst, 12.0, _die),
    Burden("burst, server comes back", ONE, _come_back, 12.0, _die_with_a_burst),
)
