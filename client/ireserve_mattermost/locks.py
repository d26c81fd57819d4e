"""Locks in Redis: the right to do a piece of work alone, for a limited time."""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from typing import Any, Iterator

from redis import Redis
from redis.exceptions import LockError

# Long enough for one request (3 s to connect, 20 s to answer) between two extensions, short
# enough for the work of a worker that was killed to go on within a minute.
LOCK_S = 30.0
# A lock that was extended within this time still outlives a request: it is not extended again.
FRESH_S = 5.0


class LockLostError(Exception):
    """The lock ran out and may be another worker's by now: leave its work alone."""


class HeldLock:
    """The right to do the work, for ``LOCK_S`` from the last extension."""

    def __init__(self, lock: Any, *, taken_at: float) -> None:
        self._lock = lock
        self._extended_at = taken_at

    def extend(self) -> None:
        """Hold the lock for another full term, less ``FRESH_S`` at most.

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
        """Note that the lock has a full term again."""
        self._extended_at = time.monotonic()

    def release(self) -> None:
        """Let the lock go; one that ran out is another worker's and is left alone."""
        with suppress(LockError):
            self._lock.release()


def lock_of(redis: Redis, name: str) -> Any:
    """Return redis-py's lock of this name, not taken."""
    return redis.lock(name, timeout=LOCK_S, blocking=False, thread_local=False)


@contextmanager
def held(redis: Redis, name: str) -> Iterator[HeldLock | None]:
    """Yield the lock of this name, or None while another worker has it; never wait for it."""
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
