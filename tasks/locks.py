"""Locks in Redis for work that one worker at a time may do, other than sending from a lane."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from urllib.parse import quote

from redis import Redis
from redis.exceptions import LockError
from redis.lock import Lock

PREFIX = "ireserve-mattermost:lock:"
# Long enough for one request (3 s to connect, 20 s to answer) between two extensions, short enough
# for the work of a worker that was killed to go on within a minute.
LOCK_S = 30.0
# A lock that was extended within this time still outlives a request: it is not extended again.
FRESH_S = 5.0


class LockLostError(Exception):
    """The lock ran out and may be another worker's by now: leave its work alone."""


class HeldLock:
    """The right to do the work, for ``LOCK_S`` from the last extension."""

    def __init__(self, lock: Lock, *, taken_at: float) -> None:
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

    def release(self) -> None:
        """Let the lock go; one that ran out is another worker's and is left alone."""
        with suppress(LockError):
            self._lock.release()


class Locks:
    """The locks of one Redis database: each is yielded, or None while another worker has it."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def of_reply(self, licence_id: str, post_id: str) -> AbstractContextManager[HeldLock | None]:
        """Yield the lock of one post of a licence; never wait for it."""
        return self._held(licence_id, "r", post_id)

    def of_catch_up(self, licence_id: str) -> AbstractContextManager[HeldLock | None]:
        """Yield the lock of a licence's catch-up; never wait for it."""
        return self._held(licence_id, "k", "catch-up")

    @contextmanager
    def _held(self, licence_id: str, family: str, subject: str) -> Iterator[HeldLock | None]:
        # No part of the name can be mistaken for another.
        name = f"{PREFIX}{quote(licence_id, safe='')}:{family}:{quote(subject, safe='')}"
        taken_at = time.monotonic()
        lock = self._redis.lock(name, timeout=LOCK_S, blocking=False, thread_local=False)
        if not lock.acquire():
            yield None
            return
        held = HeldLock(lock, taken_at=taken_at)
        try:
            yield held
        finally:
            held.release()
