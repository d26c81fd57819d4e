"""The backlogs: what waits in the lanes now, and since when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import cast

from redis import Redis
from redis.commands.core import Script

from ireserve_mattermost.lanes import PREFIX, Lane, Lanes

# The lanes of one request, during which Redis does nothing else.
LANES_PER_REQUEST = 100

# An entry may have half a megabyte. Only the time in front of it is needed, which Redis wrote.
_LOOK = """
local found = {}
for i, name in ipairs(KEYS) do
  local head = redis.call('LINDEX', name, 0)
  found[i] = {redis.call('LLEN', name), head and tonumber(string.match(head, '^(%d+):')) or 0}
end
return found
"""


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits in a licence's lanes, and since when its oldest message waits."""

    lanes: int = 0
    messages: int = 0
    oldest_at: datetime | None = None


def read_backlogs(redis: Redis) -> dict[str, Backlog]:
    """Return the backlog of each licence that has waiting messages."""
    look = redis.register_script(_LOOK)
    found: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    lanes = Lanes(redis)
    waiting = (lanes.waiting_of(licence_id) for licence_id in lanes.licences())
    names = iter([str(lane) for each in waiting for lane in each])
    while batch := list(islice(names, LANES_PER_REQUEST)):
        for name, (length, oldest_ms) in zip(batch, _look(look, batch), strict=True):
            if length:
                found[Lane.parse(name).licence_id].append((length, oldest_ms))
    return {licence_id: _backlog(lanes) for licence_id, lanes in found.items()}


def _look(script: Script, names: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Return each lane's length, and the time of its oldest entry (ms; 0: it is unreadable)."""
    lengths = cast("list[list[int]]", script(keys=[f"{PREFIX}lane:{name}" for name in names]))
    return ((length, oldest_ms) for length, oldest_ms in lengths)


def _backlog(lanes: Sequence[tuple[int, int]]) -> Backlog:
    oldest_ms = min((moment for _, moment in lanes if moment), default=None)
    oldest_at = None if oldest_ms is None else datetime.fromtimestamp(oldest_ms / 1_000, UTC)
    return Backlog(len(lanes), sum(length for length, _ in lanes), oldest_at)
