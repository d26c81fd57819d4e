"""The record of every request to the API, in the order of arrival, for tests to read."""

import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# Enough for the largest benchmark (200 conversations of 50 messages) many times over, yet an
# end: a stand-in that stays up for days must not fill the memory.
MAX_RECORDED = 200_000


@dataclass(slots=True)
class Received:
    """One request. `outcome` is "201", "403 <error id>", "dropped", or "" while in progress."""

    seq: int
    method: str
    path: str
    query: str
    time_ms: float
    user_id: str = ""
    username: str = ""
    post_id: str = ""
    channel_id: str = ""
    root_id: str = ""
    pending_post_id: str = ""
    message: str = ""
    props: Mapping[str, Any] | None = None
    file_ids: tuple[str, ...] = ()
    duplicate: bool = False
    fault: str = ""
    outcome: str = ""

    def shape(self) -> dict[str, Any]:
        """The record as the control API shows it."""
        return {name: getattr(self, name) for name in self.__slots__}


class Record:
    """All requests received, oldest first; safe to use from many threads."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._lock = threading.Lock()
        self._entries: deque[Received] = deque(maxlen=MAX_RECORDED)
        self._next_seq = 1

    def begin(self, method: str, path: str, *, query: str) -> Received:
        """Note that a request came in; the caller fills in the rest as it becomes known."""
        with self._lock:
            entry = Received(self._next_seq, method, path, query, time.time() * 1_000)
            self._next_seq += 1
            self._entries.append(entry)
        return entry

    def restore(self, value: dict[str, Any]) -> None:
        """Take back one entry that the journal kept."""
        entry = Received(**value | {"file_ids": tuple(value["file_ids"])})
        self._entries.append(entry)
        self._next_seq = max(self._next_seq, entry.seq + 1)

    def put_in_order(self) -> None:
        """Sort what was restored: the journal has it by completion."""
        self._entries = deque(sorted(self._entries, key=lambda e: e.seq), maxlen=MAX_RECORDED)

    def find(self, *, method: str = "", path: str = "", after_seq: int = 0) -> list[Received]:
        """The entries in order; `path` is the part after /api/v4, whole."""
        return [
            entry
            for entry in self._snapshot()
            if entry.seq > after_seq
            and (not method or entry.method == method)
            and (not path or entry.path == path)
        ]

    def count(self) -> int:
        """How many there are."""
        return len(self._entries)

    def clear(self) -> None:
        """Forget all; the numbering goes on."""
        with self._lock:
            self._entries.clear()

    def _snapshot(self) -> Iterator[Received]:
        with self._lock:
            return iter(list(self._entries))
