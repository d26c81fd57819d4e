"""What workers note in Redis about looks at a licence's channels; all of it may be lost.

Each note runs out by itself, so that channels which are not looked at any more leave nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast
from urllib.parse import quote

from redis import Redis

from ireserve_mattermost.lanes import PREFIX

# Longer than a channel is busy after the last word.
SEEN_FOR_S = 600
# A bot that was put out of a channel stays out for a while.
REFUSED_FOR_S = 60
# A channel whose look was cut costs a worker seconds: not every minute.
LEFT_ALONE_S = 600
# Longer than a post may be back in time to be taken in late.
LATE_FOR_S = 2 * 86_400


@dataclass(frozen=True, slots=True)
class BusyNotes:
    """Up to when (Mattermost's time, ms) a busy channel was seen, and whether not to look now."""

    seen_ms: int
    is_left_alone: bool


class LookNotes:
    """The notes about one licence."""

    def __init__(self, redis: Redis, licence_id: str) -> None:
        self._redis = redis
        self._prefix = f"{PREFIX}look:{quote(licence_id, safe='')}:"

    def of_busy(self, channel_id: str) -> BusyNotes:
        """Return what is noted of a busy channel."""
        keys = [f"{self._prefix}{kind}:{channel_id}" for kind in ("seen", "cut", "refused")]
        seen, cut, refused = cast("list[bytes | None]", self._redis.mget(keys))
        return BusyNotes(int(seen or 0), is_left_alone=bool(cut or refused))

    def note_seen(self, channel_id: str, newest_ms: int) -> None:
        """Note up to when the busy channel was seen."""
        self._redis.set(f"{self._prefix}seen:{channel_id}", newest_ms, ex=SEEN_FOR_S)

    def note_refused(self, channel_id: str) -> None:
        """Let the channel, which the server refuses to show, wait for its next whole look."""
        self._redis.set(f"{self._prefix}refused:{channel_id}", 1, ex=REFUSED_FOR_S)

    def is_left_alone(self, channel_id: str) -> bool:
        """Return whether the channel is not to be looked at for now."""
        return bool(self._redis.exists(f"{self._prefix}cut:{channel_id}"))

    def leave_alone(self, channel_id: str) -> None:
        """Let the channel not be looked at for ten minutes."""
        self._redis.set(f"{self._prefix}cut:{channel_id}", 1, ex=LEFT_ALONE_S)

    def may_look_for_late_posts(self, channel_id: str, *, every_s: int) -> bool:
        """Return whether it is time for that; then it is not for the next ``every_s``."""
        return bool(self._redis.set(f"{self._prefix}late:{channel_id}", 1, nx=True, ex=every_s))

    def not_taken_in_late(self, post_ids: Sequence[str]) -> set[str]:
        """Return which of the posts were never returned here before.

        A post that is no reply leaves nothing in the inbox, and would be asked for each time.
        """
        key = f"{self._prefix}taken-in-late"
        with self._redis.pipeline(transaction=False) as pipeline:
            for post_id in post_ids:
                pipeline.sadd(key, post_id)
            pipeline.expire(key, LATE_FOR_S)
            added = pipeline.execute()
        return {post_id for post_id, is_new in zip(post_ids, added, strict=False) if is_new}
