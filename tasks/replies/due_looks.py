"""The licences whose busy channels are due for a look: one list in Redis for all workers.

A licence is in the list once, however late the workers are. The next tick fills the list again. So
a lost list, or a worker that dies with a licence from the list, delays a look only until then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from redis import Redis

from ireserve_mattermost.lanes import PREFIX

# The due licences; those whose last look was slow come last.
_DUE = PREFIX + "looks:due"
_SLOW = PREFIX + "looks:slow"
# After this time without a tick the list is out of date, and expires.
FORGET_S = 60
SLOW_FOR_S = 600


@dataclass(frozen=True, slots=True)
class DueLook:
    """A licence to look at, and whether its last look was slow."""

    licence_id: str
    was_slow: bool


class DueLooks:
    """The list in one Redis database."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def add(self, licence_ids: Sequence[str]) -> None:
        """Add the licences to the list, the quick ones before the slow ones."""
        if not licence_ids:
            return
        slow = {name.decode() for name in cast("set[bytes]", self._redis.smembers(_SLOW))}
        with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.zadd(_DUE, {name: float(name in slow) for name in licence_ids})
            pipeline.expire(_DUE, FORGET_S)
            pipeline.execute()

    def take(self) -> DueLook | None:
        """Take the next licence from the list; None: no licence is due."""
        taken = cast("list[tuple[bytes, float]]", self._redis.zpopmin(_DUE))
        return DueLook(taken[0][0].decode(), was_slow=taken[0][1] > 0) if taken else None

    def note(self, look: DueLook, *, is_slow: bool) -> None:
        """Note whether the look was slow; a licence that is still quick needs no request."""
        if not is_slow and not look.was_slow:
            return
        if not is_slow:
            self._redis.srem(_SLOW, look.licence_id)
            return
        with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.sadd(_SLOW, look.licence_id)
            pipeline.expire(_SLOW, SLOW_FOR_S)
            pipeline.execute()
