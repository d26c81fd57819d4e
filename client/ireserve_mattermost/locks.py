"""Locks in Redis: the right to do a piece of work alone, for a limited time."""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from typing import Any, Iterator

from redis import Redis
from redis.exceptions import LockError

# A lock outlives one request (3 s to connect, 20 s to answer) between two extensions. It is short
# enough for another worker to continue the work of a killed worker within a minute.
LOCK_S = 30.0
# A lock that was extended within this time is not extended again: it still outlives a request.
FRESH_S = 5.0


class LockLostError(Exception):
    """The lock has run out, and another worker may hold it by now: stop the work at once."""


class HeldLock:
    """A lock that this process holds for ``LOCK_S`` from the last extension."""

    def __init__(self, lock: Any, *, taken_at: float) -> None:
        self._lock = lock
        self._extended_at = taken_at

    def extend(self) -> None:
        """Extend the lock to a full term, unless it was extended within ``FRESH_S``.

        Raises:
            LockLostError: the lock has run out.
        """
        now = time.monotonic()
        if now - self._extended_at < FRESH_S:
            return
        try:
            self._lock.extend(LOCK_S, replace_ttl=True)
        except LockError:
            raise LockLostError("the lock has run out") from None
        self._extended_at = now

    def was_extended(self) -> None:
        """Record that a script has extended the lock to a full term."""
        self._extended_at = time.monotonic()

    def release(self) -> None:
        """Release the lock, unless it has run out and may be another worker's."""
        with suppress(LockError):
            self._lock.release()


def lock_of(redis: Redis, name: str) -> Any:
    """Return redis-py's lock of this name, without acquiring it."""
    return redis.lock(name, timeout=LOCK_S, blocking=False, thread_local=False)


@contextmanager
def try_lock(redis: Redis, name: str) -> Iterator[HeldLock | None]:
    """Yield the lock of this name, or None if another worker holds it; never wait for the lock."""
    taken_at = time.monotonic()
    lock = lock_of(redis, name)
    if not lock.acquire():
        yield None
        return
    mine = HeldLock(lock, taken_at=taken_at)
    try:
        yield mine
    finally:
        mine.release()
