"""What no worker could read: kept for an operator where it blocks nothing, up to a limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from redis import Redis

# Entries that could not be read: written by something else, or by another version of this code.
UNREADABLE = "ireserve-mattermost:unreadable"
# A hash: how many bytes they have, and how many more there were than is kept.
UNREADABLE_COUNTS = "ireserve-mattermost:unreadable_counts"
# What a program that writes into the wrong Redis leaves overnight must not fill it, for then no
# message is taken. This is what workers that are older than i-Reserve's package meet in minutes.
MAX_ENTRIES = 10_000
MAX_BYTES = 64 * 1_024 * 1_024

# KEYS: list, counts. ARGV: entry, how many entries, how many bytes.
_KEEP = """
local length = redis.call('LLEN', KEYS[1])
if length == 0 then redis.call('HDEL', KEYS[2], 'bytes') end
local bytes = tonumber(redis.call('HGET', KEYS[2], 'bytes') or '0') + string.len(ARGV[1])
if length >= tonumber(ARGV[2]) or bytes > tonumber(ARGV[3]) then
  redis.call('HINCRBY', KEYS[2], 'dropped', 1)
  return 0
end
redis.call('RPUSH', KEYS[1], ARGV[1])
redis.call('HSET', KEYS[2], 'bytes', bytes)
return 1
"""


@dataclass(frozen=True)
class SetAside:
    """How many entries are kept, and how many came when the list was full and were dropped."""

    kept: int
    dropped: int

    @property
    def count(self) -> int:
        """Return how many there were since an operator dealt with them."""
        return self.kept + self.dropped


def keep_unreadable(redis: Redis, raw: bytes) -> bool:
    """Keep an entry that cannot be read; False: the list is full, it is counted and dropped."""
    args = (UNREADABLE, UNREADABLE_COUNTS, raw, MAX_ENTRIES, MAX_BYTES)
    return bool(redis.eval(_KEEP, 2, *args))


def read_set_aside(redis: Redis) -> SetAside:
    """Return how much was set aside."""
    dropped = cast("bytes | None", redis.hget(UNREADABLE_COUNTS, "dropped"))
    return SetAside(kept=int(redis.llen(UNREADABLE)), dropped=int(dropped or 0))
