"""What workers note in Redis about looks at a licence's channels; all of it may be lost.

Each note expires, so channels that are no longer looked at leave nothing behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast
from urllib.parse import quote

from redis import Redis

from ireserve_mattermost.lanes import PREFIX

# Longer than a channel counts as busy after its last message or reply.
SEEN_FOR_S = 600
# A bot that was removed from a channel is usually not back within this time.
REFUSED_FOR_S = 60
# A look that was cut costs a worker seconds, so it is not repeated every minute.
SKIPPED_FOR_S = 600
# Longer than ``LATE_BY``, the age up to which a late post is taken in.
LATE_FOR_S = 2 * 86_400


@dataclass(frozen=True, slots=True)
class BusyNotes:
    """Up to when a busy channel was read (Mattermost's time, ms), and whether it is skipped now."""

    seen_ms: int
    is_skipped: bool


class LookNotes:
    """The notes about one licence's channels."""

    def __init__(self, redis: Redis, licence_id: str) -> None:
        self._redis = redis
        self._prefix = f"{PREFIX}look:{quote(licence_id, safe='')}:"

    def of_busy(self, channel_id: str) -> BusyNotes:
        """Return the notes about a busy channel."""
        keys = [f"{self._prefix}{kind}:{channel_id}" for kind in ("seen", "cut", "refused")]
        seen, cut, refused = cast("list[bytes | None]", self._redis.mget(keys))
        return BusyNotes(int(seen or 0), is_skipped=bool(cut or refused))

    def note_seen(self, channel_id: str, newest_ms: int) -> None:
        """Note up to when the busy channel was read (Mattermost's time, ms)."""
        self._redis.set(f"{self._prefix}seen:{channel_id}", newest_ms, ex=SEEN_FOR_S)

    def note_refused(self, channel_id: str) -> None:
        """Leave the channel out of busy looks for a minute, since the server refuses to show it."""
        self._redis.set(f"{self._prefix}refused:{channel_id}", 1, ex=REFUSED_FOR_S)

    def is_skipped(self, channel_id: str) -> bool:
        """Return whether looks skip the channel for now."""
        return bool(self._redis.exists(f"{self._prefix}cut:{channel_id}"))

    def skip(self, channel_id: str) -> None:
        """Let looks skip the channel for ten minutes."""
        self._redis.set(f"{self._prefix}cut:{channel_id}", 1, ex=SKIPPED_FOR_S)

    def may_look_for_late_posts(self, channel_id: str, *, every_s: int) -> bool:
        """Return whether to look for late posts now: True at most once in ``every_s`` seconds."""
        return bool(self._redis.set(f"{self._prefix}late:{channel_id}", 1, nx=True, ex=every_s))

    def note_late_posts(self, post_ids: Sequence[str]) -> set[str]:
        """Note that these late posts are taken in; return those that were not noted before.

        A post that is no reply leaves no row in the inbox. Without this note, each look would take
        it in again.
        """
        key = f"{self._prefix}taken-in-late"
        with self._redis.pipeline(transaction=False) as pipeline:
            for post_id in post_ids:
                pipeline.sadd(key, post_id)
            pipeline.expire(key, LATE_FOR_S)
            added = pipeline.execute()
        return {post_id for post_id, is_new in zip(post_ids, added, strict=False) if is_new}
