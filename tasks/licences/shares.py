"""A worker's threads, shared out so that a licence whose server is slow stops no other.

A thread that waits for a slow server costs the others nothing as long as there are more threads
than work that may run at once. So a worker has many threads, lets few messages run at a time, and
shares the threads out: to each quick licence its part, which shrinks as more are busy, and to each
that is slow or not known yet a first thread, and more only while they have few together.
"""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition

# Threads for each message that may run at once. A waiting thread costs some 100 kB, and is made
# when it is needed; a hundred licences that hang hold one each for as long as a call may take.
THREADS_PER_MESSAGE = 32
# A call that is under way for longer only waits: it no longer counts as running.
RUNNING_S = 0.05
# A licence with a call under way for longer, or whose last call took longer, is slow.
SLOW_S = 1.0
# What is known of this many licences; the one longest unheard of is forgotten.
MAX_KNOWN = 10_000


@dataclass(frozen=True, slots=True)
class _Call:
    licence_id: str
    started_at: float
    is_quick: bool


@dataclass(frozen=True, slots=True)
class _Census:
    """Who has threads at one moment: how many quick licences, and how many threads the others."""

    slow: frozenset[str]
    quick_licences: int
    other_threads: int


class Shares:
    """The threads of this process, counted by licence. ``at_once`` messages run at a time."""

    def __init__(self, at_once: int, *, per_message: int = THREADS_PER_MESSAGE) -> None:
        self._at_once = at_once
        self._threads = at_once * per_message
        self._serving: Counter[str] = Counter()
        self._calls: dict[int, _Call] = {}
        self._quick: OrderedDict[str, bool] = OrderedDict()
        # Licences that got no thread, each with the wake-up that it came with, in that order.
        self._parked: OrderedDict[str, str] = OrderedDict()
        self._changed = Condition()
        self._next_call = 0

    def enter(self, licence_id: str) -> bool:
        """Take a thread for the licence; False: it has its share already."""
        with self._changed:
            return self._enter(licence_id)

    def enter_or_park(self, licence_id: str, wake_id: str) -> bool | None:
        """Take a thread; None: it is parked until one is free; False: others here serve it.

        Nothing is lost with a parked licence when the process dies: Redis still has its lanes.
        """
        with self._changed:
            if self._enter(licence_id):
                return True
            if licence_id in self._serving or licence_id in self._parked:
                return False
            self._parked[licence_id] = wake_id
            return None

    def leave(self, licence_id: str) -> tuple[str, str] | None:
        """Give the thread back, or take it for a parked licence, returned with its wake-up."""
        with self._changed:
            self._serving[licence_id] -= 1
            if self._serving[licence_id] <= 0:
                del self._serving[licence_id]
            self._changed.notify_all()
            census = self._census()
            for parked in self._parked:
                if self._fits(parked, census):
                    self._serving[parked] += 1
                    return parked, self._parked.pop(parked)
            return None

    @contextmanager
    def message(self, licence_id: str) -> Iterator[None]:
        """Let one message of the licence run, once fewer than the limit do."""
        with self._changed:
            while not self._may_run(licence_id):
                # Nothing tells of a call that has become a waiting one.
                self._changed.wait(RUNNING_S)
            self._next_call = number = self._next_call + 1
            is_quick = self._quick.get(licence_id, False)
            self._calls[number] = call = _Call(licence_id, time.monotonic(), is_quick)
        try:
            yield
        finally:
            with self._changed:
                del self._calls[number]
                self._note(licence_id, time.monotonic() - call.started_at < SLOW_S)
                self._changed.notify_all()

    def _enter(self, licence_id: str) -> bool:
        if not self._fits(licence_id, self._census()):
            return False
        self._serving[licence_id] += 1
        return True

    def _census(self) -> _Census:
        slow = self._slow()
        others = [name for name in self._serving if not self._is_quick(name, slow)]
        threads = sum(self._serving[name] for name in others)
        return _Census(slow, len(self._serving) - len(others), threads)

    def _fits(self, licence_id: str, census: _Census) -> bool:
        """Return whether the licence may have one more thread."""
        if self._serving.total() >= self._threads:
            return False
        held = self._serving.get(licence_id, 0)
        if self._is_quick(licence_id, census.slow):
            part = self._threads // 2 // (census.quick_licences + (held == 0))
            return held < max(1, min(self._at_once // 2, part))
        # One thread each, so that a licence of which nothing is known yet gets to show what it is.
        if held == 0:
            return census.other_threads < self._threads * 3 // 4
        return held < self._at_once // 2 and census.other_threads < self._threads // 4

    def _may_run(self, licence_id: str) -> bool:
        running_since = time.monotonic() - RUNNING_S
        running = [call for call in self._calls.values() if call.started_at > running_since]
        if len(running) >= self._at_once:
            return False
        unproven = sum(not call.is_quick for call in running)
        return self._is_quick(licence_id, self._slow()) or unproven < max(1, self._at_once // 2)

    def _slow(self) -> frozenset[str]:
        """Return the licences with a call that has been under way for too long."""
        since = time.monotonic() - SLOW_S
        calls = self._calls.values()
        return frozenset(call.licence_id for call in calls if call.started_at < since)

    def _is_quick(self, licence_id: str, slow: frozenset[str]) -> bool:
        return licence_id not in slow and self._quick.get(licence_id, False)

    def _note(self, licence_id: str, is_quick: bool) -> None:
        self._quick[licence_id] = is_quick
        self._quick.move_to_end(licence_id)
        if len(self._quick) > MAX_KNOWN:
            self._quick.popitem(last=False)
