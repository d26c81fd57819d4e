"""The lock of a lane: the right to drain it, for a limited time."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from redis.exceptions import LockError

# Long enough for one request (3 s to connect, 20 s to answer) between two extensions, short
# enough for the messages of a worker that was killed to go on within a minute.
LOCK_S = 30.0
# A lock that was extended within this time still outlives a request: it is not extended again.
FRESH_S = 5.0


class LaneLostError(Exception):
    """The lane's lock ran out and may be another worker's by now: leave the lane alone."""


class LaneLock:
    """The right to drain one lane, for ``LOCK_S`` from the last extension."""

    def __init__(self, lock: Any, *, taken_at: float) -> None:
        self._lock = lock
        self._extended_at = taken_at

    def extend(self) -> None:
        """Hold the lane for another full term, less ``FRESH_S`` at most.

        Raises:
            LaneLostError: the lock has run out.
        """
        now = time.monotonic()
        if now - self._extended_at < FRESH_S:
            return
        try:
            self._lock.extend(LOCK_S, replace_ttl=True)
        except LockError:
            raise LaneLostError("the lane's lock has run out") from None
        self._extended_at = now

    def was_extended(self) -> None:
        """Note that the lock has a full term again."""
        self._extended_at = time.monotonic()

    def release(self) -> None:
        """Let the lane go; a lock that ran out may be another's and is left alone."""
        with suppress(LockError):
            self._lock.release()
