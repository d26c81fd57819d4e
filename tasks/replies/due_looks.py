"""Which licences' busy channels are due to be looked at: one list in Redis for all workers.

A licence is in it once, however late the workers are. A list that is lost is made anew at the next
tick, and what a worker took and never looked at comes again with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from redis import Redis

from ireserve_mattermost.lanes import PREFIX

# The due ones; those that were slow the last time come behind the others.
_DUE = PREFIX + "looks:due"
_SLOW = PREFIX + "looks:slow"
# After this time without a tick the list says nothing of now.
FORGET_S = 60
SLOW_FOR_S = 600


@dataclass(frozen=True, slots=True)
class DueLook:
    """A licence to look at, and whether that took long the last time."""

    licence_id: str
    was_slow: bool


class DueLooks:
    """The list in one Redis database."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def add(self, licence_ids: Sequence[str]) -> None:
        """Let these licences be looked at, the quick ones first."""
        if not licence_ids:
            return
        slow = {name.decode() for name in cast("set[bytes]", self._redis.smembers(_SLOW))}
        with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.zadd(_DUE, {name: float(name in slow) for name in licence_ids})
            pipeline.expire(_DUE, FORGET_S)
            pipeline.execute()

    def take(self) -> DueLook | None:
        """Take the licence that is next; None: nothing is due."""
        taken = cast("list[tuple[bytes, float]]", self._redis.zpopmin(_DUE))
        return DueLook(taken[0][0].decode(), was_slow=taken[0][1] > 0) if taken else None

    def note(self, look: DueLook, *, is_slow: bool) -> None:
        """Remember whether the look took long; one as quick as before costs nothing."""
        if not is_slow and not look.was_slow:
            return
        if not is_slow:
            self._redis.srem(_SLOW, look.licence_id)
            return
        with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.sadd(_SLOW, look.licence_id)
            pipeline.expire(_SLOW, SLOW_FOR_S)
            pipeline.execute()
