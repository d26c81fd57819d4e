"""A worker's threads, shared out fairly: one licence never has more than half of them.

A server that is slow but answers keeps every thread busy that it is given. The lanes of a
licence that has its share wait here, and each thread that the licence lets go takes the next.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict
from threading import Lock

from ireserve_mattermost.lanes import Lane


class Slots:
    """The threads of this process that drain lanes, counted by licence."""

    def __init__(self, threads: int) -> None:
        self._limit = max(1, threads // 2)
        self._busy: Counter[str] = Counter()
        # Parked lanes in the order they came, each once however often it was woken.
        self._parked: defaultdict[str, OrderedDict[Lane, None]] = defaultdict(OrderedDict)
        self._mutex = Lock()

    def take(self, lane: Lane) -> bool:
        """Take a thread for the lane's licence; False: it has its share, and the lane is parked.

        Nothing is lost with a parked lane when the process dies: Redis still has it as waiting.
        """
        with self._mutex:
            if self._busy[lane.licence_id] >= self._limit:
                self._parked[lane.licence_id][lane] = None
                return False
            self._busy[lane.licence_id] += 1
            return True

    def take_if_free(self, licence_id: str) -> bool:
        """Take a thread for the licence; False: it has its share, and nothing is parked."""
        with self._mutex:
            if self._busy[licence_id] >= self._limit:
                return False
            self._busy[licence_id] += 1
            return True

    def next_or_leave(self, licence_id: str) -> Lane | None:
        """Return the licence's next parked lane, keeping the thread; None gives the thread back."""
        with self._mutex:
            parked = self._parked.get(licence_id)
            if parked:
                return parked.popitem(last=False)[0]
            self._parked.pop(licence_id, None)
            self._busy[licence_id] -= 1
            if not self._busy[licence_id]:
                del self._busy[licence_id]
            return None

    def leave(self, licence_id: str) -> None:
        """Give the thread back, whatever is parked; the sweep wakes it."""
        with self._mutex:
            self._busy[licence_id] -= 1
