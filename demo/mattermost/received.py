"""The record of every request to the API, in the order of arrival, for tests to read."""

import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# Many times the largest benchmark (200 conversations of 50 messages). The limit keeps a stand-in
# that runs for days from filling the memory.
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
        """Return the entry as the control API shows it."""
        return {name: getattr(self, name) for name in self.__slots__}


class Record:
    """All requests received, oldest first; safe to use from many threads."""

    def __init__(self) -> None:
        """Begin with no entries."""
        self._lock = threading.Lock()
        self._entries: deque[Received] = deque(maxlen=MAX_RECORDED)
        self._next_seq = 1

    def begin(self, method: str, path: str, *, query: str) -> Received:
        """Add an entry for a request; the caller fills in the rest later."""
        with self._lock:
            entry = Received(self._next_seq, method, path, query, time.time() * 1_000)
            self._next_seq += 1
            self._entries.append(entry)
        return entry

    def restore(self, value: dict[str, Any]) -> None:
        """Add one entry from the journal."""
        entry = Received(**value | {"file_ids": tuple(value["file_ids"])})
        self._entries.append(entry)
        self._next_seq = max(self._next_seq, entry.seq + 1)

    def put_in_order(self) -> None:
        """Sort the restored entries by arrival: the journal has them by completion."""
        self._entries = deque(sorted(self._entries, key=lambda e: e.seq), maxlen=MAX_RECORDED)

    def find(self, *, method: str = "", path: str = "", after_seq: int = 0) -> list[Received]:
        """Return the entries in order; `path` is the whole path after /api/v4."""
        return [
            entry
            for entry in self._snapshot()
            if entry.seq > after_seq
            and (not method or entry.method == method)
            and (not path or entry.path == path)
        ]

    def count(self) -> int:
        """Return the number of entries."""
        return len(self._entries)

    def clear(self) -> None:
        """Remove all entries; the numbering continues."""
        with self._lock:
            self._entries.clear()

    def _snapshot(self) -> Iterator[Received]:
        with self._lock:
            return iter(list(self._entries))
