"""Divide a worker's threads among licences, so that a slow server delays no other licence.

A thread that waits for a slow server costs the other licences nothing, as long as other threads are
free. So a worker has many threads, and lets only a few messages run at a time. Each quick licence
has an equal share of the threads, which shrinks as more licences are busy. Each licence that is
slow or not known yet gets one thread, and more only while all of these licences have few.
"""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition

# Threads for each message that may run at once. A waiting thread takes about 100 kB, and is started
# when it is needed. A hundred licences with hanging servers occupy a hundred threads.
THREADS_PER_MESSAGE = 32
# A call that takes longer than this is waiting for its server, and no longer counts as running.
RUNNING_S = 0.05
# A licence is slow if one of its calls has been running for longer, or its last call took longer.
SLOW_S = 1.0
# How many licences are remembered as quick or slow. The licence that was served longest ago is
# forgotten first.
MAX_KNOWN = 10_000


@dataclass(frozen=True, slots=True)
class _Call:
    licence_id: str
    started_at: float
    is_quick: bool


@dataclass(frozen=True, slots=True)
class _ThreadCounts:
    """How many quick licences have threads now, and how many threads the other licences have."""

    slow: frozenset[str]
    quick_licences: int
    other_threads: int


class Shares:
    """The threads of this process by licence; at most ``at_once`` messages run at a time."""

    def __init__(self, at_once: int, *, per_message: int = THREADS_PER_MESSAGE) -> None:
        self._at_once = at_once
        self._threads = at_once * per_message
        self._serving: Counter[str] = Counter()
        self._calls: dict[int, _Call] = {}
        self._quick: OrderedDict[str, bool] = OrderedDict()
        # The licences that wait for a thread, in order, each with its wake-up.
        self._parked: OrderedDict[str, str] = OrderedDict()
        self._changed = Condition()
        self._next_call = 0

    def enter(self, licence_id: str) -> bool:
        """Take a thread for the licence; False: the licence has its share already."""
        with self._changed:
            return self._enter(licence_id)

    def enter_or_park(self, licence_id: str, wake_id: str) -> bool | None:
        """Take a thread for the licence, or park the licence until a thread is free.

        If the process dies, nothing of a parked licence is lost: Redis still has its lanes.

        Returns:
            True: the licence has the thread. None: the licence is parked. False: neither, because
            other threads serve it or it is parked already.
        """
        with self._changed:
            if self._enter(licence_id):
                return True
            if licence_id in self._serving or licence_id in self._parked:
                return False
            self._parked[licence_id] = wake_id
            return None

    def leave(self, licence_id: str) -> tuple[str, str] | None:
        """Free the thread, or take it for a parked licence; return this licence and its wake-up."""
        with self._changed:
            self._serving[licence_id] -= 1
            if self._serving[licence_id] <= 0:
                del self._serving[licence_id]
            self._changed.notify_all()
            counts = self._count_threads()
            for parked in self._parked:
                if self._fits(parked, counts):
                    self._serving[parked] += 1
                    return parked, self._parked.pop(parked)
            return None

    @contextmanager
    def message(self, licence_id: str) -> Iterator[None]:
        """Run the block for a message of the licence, once fewer messages run than may."""
        with self._changed:
            while not self._may_run(licence_id):
                # No notification comes when a running call begins to wait for its server.
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
        if not self._fits(licence_id, self._count_threads()):
            return False
        self._serving[licence_id] += 1
        return True

    def _count_threads(self) -> _ThreadCounts:
        slow = self._slow()
        others = [name for name in self._serving if not self._is_quick(name, slow)]
        threads = sum(self._serving[name] for name in others)
        return _ThreadCounts(slow, len(self._serving) - len(others), threads)

    def _fits(self, licence_id: str, counts: _ThreadCounts) -> bool:
        """Return whether the licence may have one more thread."""
        if self._serving.total() >= self._threads:
            return False
        held = self._serving.get(licence_id, 0)
        if self._is_quick(licence_id, counts.slow):
            part = self._threads // 2 // (counts.quick_licences + (held == 0))
            return held < max(1, min(self._at_once // 2, part))
        # Each of these licences gets one thread, so that a licence that is not known yet can become
        # quick.
        if held == 0:
            return counts.other_threads < self._threads * 3 // 4
        return held < self._at_once // 2 and counts.other_threads < self._threads // 4

    def _may_run(self, licence_id: str) -> bool:
        running_since = time.monotonic() - RUNNING_S
        running = [call for call in self._calls.values() if call.started_at > running_since]
        if len(running) >= self._at_once:
            return False
        unproven = sum(not call.is_quick for call in running)
        return self._is_quick(licence_id, self._slow()) or unproven < max(1, self._at_once // 2)

    def _slow(self) -> frozenset[str]:
        """Return the licences with a call that has been running for longer than ``SLOW_S``."""
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
