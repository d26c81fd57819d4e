"""Loads that slow or dead licences put on the workers, and their effect on healthy licences."""

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

# The limits for healthy licences: in the first second, and after it.
FIRST_P95_MS, LATER_P95_MS = 1_000.0, 250.0
MOST_GROWTH, MOST_MORE_MS = 1.25, 20.0
CALM_S = 6.0
FIRST_S = 1.0
SLOW = tuple(f"slow-{number}" for number in range(100))
SLOW_CONVERSATIONS = 20
LATE_S = 15.0
ONE = ("one",)
BURST = 8_000
QUICK_S, RECOVERED_S = 0.02, 0.06
# Beat's sweep sends a due probe within 5 s. Each probe is due 30 s after the one before.
BACK_WITHIN_S = 60.0
LOOK_EVERY_S = 0.1

Step = Callable[[SharedWorkers], None]
# Returns the time (epoch) at which the burden began.
Begin = Callable[[SharedWorkers], float]


@dataclass(frozen=True, slots=True)
class Effect:
    """A load's effect: the delays of the healthy licences' messages, and the longest queue."""

    calm: Delays
    first_second: Delays
    later: Delays
    most_queued: int

    def row(self) -> dict[str, Any]:
        """Return all figures by name."""
        named = {"calm": self.calm, "first": self.first_second, "later": self.later}
        figures = {
            f"{name}_{figure}": getattr(delays, figure)
            for name, delays in named.items()
            for figure in ("median_ms", "p95_ms")
        }
        return {**figures, "most_queued": self.most_queued}


def allowed_median_ms(effect: Effect) -> float:
    """Return the limit of the healthy licences' median, which depends on the calm median."""
    return MOST_GROWTH * effect.calm.median_ms + MOST_MORE_MS


@dataclass(frozen=True, slots=True)
class Burden:
    """A load by these licences: a preparation, a beginning, and the time to measure (s)."""

    name: str
    licences: Sequence[str]
    begin: Begin
    watched_s: float
    prepare: Step = lambda workers: None

    def __str__(self) -> str:
        """Return the name, for the test's id."""
        return self.name

    def measure(self, directory: Path, *, database_url: str) -> Effect:
        """Run workers, first in calm, then under this load; return its effect on healthy ones."""
        with shared_workers(directory, database_url=database_url, others=self.licences) as workers:
            self.prepare(workers)
            with workers.load.running():
                calm = time.time()
                time.sleep(CALM_S)
                with _watching_queue(workers) as most:
                    began = self.begin(workers)
                    ended = began + self.watched_s
                    time.sleep(max(0.0, ended - time.time()))
            return Effect(
                workers.load.between(calm, calm + CALM_S),
                workers.load.between(began, began + FIRST_S),
                workers.load.between(began + FIRST_S, ended),
                most[0],
            )


@contextmanager
def _watching_queue(workers: SharedWorkers) -> Iterator[list[int]]:
    """Yield a list of one number: the longest queue of Celery messages so far."""
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


def _keep_server_up(workers: SharedWorkers) -> None:
    workers.others.behave(list(ONE), service_s=QUICK_S)


def _take_server_down(workers: SharedWorkers) -> None:
    """Let the licence's server cut connections until its circuit is open."""
    workers.others.behave(list(ONE), trouble=Trouble.CUTS)
    workers.enqueue(ONE, conversations=FAILURES_TO_OPEN)
    wait_until(lambda: workers.is_circuit_open(ONE[0]), what="an open circuit")


def _take_server_down_and_burst(workers: SharedWorkers) -> None:
    _take_server_down(workers)
    _burst(workers)


def _bring_server_back(workers: SharedWorkers) -> float:
    """Let the server answer again, and wait until a probe closes the circuit."""
    workers.others.behave(list(ONE), service_s=RECOVERED_S)
    wait_until(
        lambda: not workers.is_circuit_open(ONE[0]),
        timeout_s=BACK_WITHIN_S,
        what="a closed circuit",
    )
    return time.time()


# The first calls time out after 20 s; the measurement includes the time just after.
SLOW_BURDENS = (
    Burden("100 licences hang", SLOW, _slow_servers(Trouble.HANGS), 26.0),
    Burden("100 licences drip", SLOW, _slow_servers(Trouble.DRIPS), 26.0),
    Burden("100 licences answer after 15 s", SLOW, _slow_servers(None, service_s=LATE_S), 26.0),
)
BURSTS = (
    Burden("burst, server alive", ONE, _burst, 12.0, _keep_server_up),
    Burden("burst, server dead", ONE, _burst, 12.0, _take_server_down),
    Burden("burst, server comes back", ONE, _bring_server_back, 12.0, _take_server_down_and_burst),
)
