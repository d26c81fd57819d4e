"""Locks for work that only one worker at a time may do, apart from sending from a lane."""

from __future__ import annotations

from contextlib import AbstractContextManager
from urllib.parse import quote

from redis import Redis

from ireserve_mattermost.locks import HeldLock, try_lock

PREFIX = "ireserve-mattermost:lock:"


class Locks:
    """The locks of one Redis database; a method yields None while another worker has the lock."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def of_reply(self, licence_id: str, post_id: str) -> AbstractContextManager[HeldLock | None]:
        """Yield the lock of one post of a licence; never wait for it."""
        return self._try_lock(licence_id, "r", post_id)

    def of_catch_up(self, licence_id: str) -> AbstractContextManager[HeldLock | None]:
        """Yield the lock of a licence's catch-up; never wait for it."""
        return self._try_lock(licence_id, "k", "catch-up")

    def of_retention(self) -> AbstractContextManager[HeldLock | None]:
        """Yield the lock of retention; never wait for it."""
        return self._try_lock("", "x", "retention")

    def _try_lock(
        self, licence_id: str, family: str, subject: str
    ) -> AbstractContextManager[HeldLock | None]:
        # The ids are percent-encoded, so that two different locks never have the same name.
        name = f"{PREFIX}{quote(licence_id, safe='')}:{family}:{quote(subject, safe='')}"
        return try_lock(self._redis, name)
