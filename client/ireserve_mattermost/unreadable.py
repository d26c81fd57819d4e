"""Entries that no worker could read: set aside for an operator, up to a limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from redis import Redis

from ireserve_mattermost.lane import PREFIX

# A list of the entries, which another program or another version of this code wrote.
UNREADABLE = PREFIX + "unreadable"
# A hash: how many bytes the kept entries have, and how many entries were dropped.
UNREADABLE_COUNTS = PREFIX + "unreadable_counts"
# Another program may write entries into the wrong Redis all night. They must not fill Redis, since
# a full Redis takes no messages. Workers older than i-Reserve's package reach the limit in minutes.
MAX_ENTRIES = 10_000
MAX_BYTES = 64 * 1_024 * 1_024

# KEYS: list, counts. ARGV: entry, the most entries and the most bytes to keep.
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
    """How many entries are kept, and how many were dropped because the list was full."""

    kept: int
    dropped: int

    @property
    def count(self) -> int:
        """How many entries could not be read since an operator last removed them."""
        return self.kept + self.dropped


def keep_unreadable(redis: Redis, raw: bytes) -> bool:
    """Keep an entry that cannot be read; False: the list is full, the entry is only counted."""
    args = (UNREADABLE, UNREADABLE_COUNTS, raw, MAX_ENTRIES, MAX_BYTES)
    return bool(redis.eval(_KEEP, 2, *args))


def read_set_aside(redis: Redis) -> SetAside:
    """Return how many entries were set aside."""
    dropped = cast("bytes | None", redis.hget(UNREADABLE_COUNTS, "dropped"))
    return SetAside(kept=int(redis.llen(UNREADABLE)), dropped=int(dropped or 0))
