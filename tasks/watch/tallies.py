"""Tallies: how many messages and replies ended in which way, counted in Redis for the metrics.

Counting the millions of rows of the ledger would take too long. A message is counted in the step
that takes it out of its lane, so it is never counted twice. If a worker dies before that step, one
message stays uncounted.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, cast
from urllib.parse import quote, unquote

from redis import Redis
from redis.exceptions import RedisError

from ireserve_mattermost.lanes import TALLIES, Lane, LaneEntry
from ireserve_mattermost.messages import KINDS, unknown_fields
from models import DeliveryKind, DeliveryState, ReplySource
from tasks.failures import OwnReason, Settled
from tasks.watch.last_times import forget_last_times, note_recorded

# The upper ends of the delay's buckets. Tenths of a second are usual. After a lost wake-up the
# delay is 5 s, and after an outage of the server 30 s. By default a message fails after 600 s.
DELAY_BUCKETS_S = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0, math.inf)
# Messages for licences that are not registered are counted together, since a host's mistake may
# name any number of such licences.
NO_LICENCE = ""
# The fields of one request, during which Redis does nothing else.
SCAN_COUNT = 1_000
# The script returns all fields as one text, since the client takes ten times as long to parse a
# list. No field has a blank, since the licence in it is percent-encoded.
_SCAN = """
local found = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])
return {found[1], table.concat(found[2], ' ')}
"""
# The state of a reply that was recorded, as ``count_reply`` gets it.
_RECORDED = "recorded"


@dataclass(slots=True)
class Tally:
    """What was counted of one licence.

    ``messages`` are counted by kind and state, and ``replies`` by path and state. ``unknown``
    counts, by kind, messages with arguments that the worker does not know. ``delays`` counts
    delays by the upper end of their bucket, each in one bucket. ``delay_ms`` is their sum.
    """

    messages: Counter[tuple[str, str]] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    replies: Counter[tuple[str, str]] = field(default_factory=Counter)
    delays: Counter[float] = field(default_factory=Counter)
    delay_ms: int = 0


def counts_of(
    lane: Lane, entries: Sequence[LaneEntry], settled: Sequence[Settled]
) -> Mapping[str, int]:
    """Return how much these settled messages add to which field; a duplicate adds nothing."""
    counts: Counter[str] = Counter()
    for entry, outcome in zip(entries, settled, strict=True):
        if not outcome.is_duplicate:
            counts.update(_count_of(lane, entry, outcome))
    return counts


def has_sent(entries: Sequence[LaneEntry], settled: Sequence[Settled]) -> bool:
    """Return whether one of these messages has been posted, and is not a duplicate."""
    return any(
        outcome.state is DeliveryState.SENT
        and not outcome.is_duplicate
        and DeliveryKind(entry.kind).is_message
        for entry, outcome in zip(entries, settled, strict=True)
    )


def _count_of(lane: Lane, entry: LaneEntry, settled: Settled) -> Mapping[str, int]:
    is_unknown = settled.reason == OwnReason.LICENCE_UNKNOWN
    licence = _prefix(NO_LICENCE if is_unknown else lane.licence_id)
    counts = {f"{licence}message:{entry.kind}:{settled.state.value}": 1}
    if entry.kind in KINDS and unknown_fields(entry.kind, entry.payload):
        counts[f"{licence}unknown:{entry.kind}"] = 1
    # Only what is posted has a delay; a user, for example, is not posted.
    if settled.state is DeliveryState.SENT and DeliveryKind(entry.kind).is_message:
        delay_ms = max(0, round(settled.at_ms - entry.enqueued_at_ms))
        bucket = DELAY_BUCKETS_S[bisect_left(DELAY_BUCKETS_S, delay_ms / 1_000)]
        counts |= {f"{licence}delay:{bucket}": 1, f"{licence}delay_ms": delay_ms}
    return counts


class Tallies:
    """All that was counted in one Redis database; if Redis is emptied, counts begin at 0 again."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._scan = redis.register_script(_SCAN)

    def count_reply(self, licence_id: str, source: ReplySource, state: str) -> None:
        """Count what became of a reply; without Redis it stays uncounted."""
        with suppress(RedisError), self._redis.pipeline(transaction=False) as pipeline:
            pipeline.hincrby(TALLIES, f"{_prefix(licence_id)}reply:{source.value}:{state}", 1)
            if state == _RECORDED:
                note_recorded(pipeline, licence_id)
            pipeline.execute()

    def read(self) -> dict[str, Tally]:
        """Return the tally of each licence."""
        tallies: defaultdict[str, Tally] = defaultdict(Tally)
        for name, value in self._fields():
            licence, _, rest = name.partition(":")
            # A scan may return a field twice, so values are set, not added.
            _place(rest).put(tallies[licence], value)
        return {unquote(licence): tally for licence, tally in tallies.items()}

    def _fields(self) -> Iterator[tuple[str, int]]:
        cursor = "0"
        while True:
            answer = self._scan(keys=[TALLIES], args=[cursor, SCAN_COUNT])
            cursor, text = (part.decode() for part in cast("list[bytes]", answer))
            words = iter(text.split())
            yield from ((name, int(value)) for name, value in zip(words, words, strict=True))
            if cursor == "0":
                return

    def forget(self, licence_id: str) -> None:
        """Remove what was counted of a licence that was removed."""
        # A percent-encoded id has no character that is special in patterns of Redis.
        pattern = f"{_prefix(licence_id)}*"
        scan = self._redis.hscan_iter(TALLIES, match=pattern, count=SCAN_COUNT)
        for name in [name for name, _ in scan]:
            self._redis.hdel(TALLIES, name)
        forget_last_times(self._redis, licence_id)


def _prefix(licence_id: str) -> str:
    return f"{quote(licence_id, safe='')}:"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a field of the hash belongs in a tally: the attribute, and the key in it, if any."""

    name: str
    key: Any

    def put(self, tally: Tally, value: int) -> None:
        if self.name == "delay_ms":
            tally.delay_ms = value
        elif self.name:
            getattr(tally, self.name)[self.key] = value


# There are about thirty different fields, whatever the number of licences. Another version of this
# application may have written more.
@lru_cache(maxsize=1_000)
def _place(field: str) -> _Place:
    match field.split(":"):
        case ["message", kind, state]:
            return _Place("messages", (kind, state))
        case ["unknown", kind]:
            return _Place("unknown", kind)
        case ["reply", path, state]:
            return _Place("replies", (path, state))
        case ["delay", bucket]:
            return _Place("delays", float(bucket))
        case ["delay_ms"]:
            return _Place("delay_ms", None)
    return _Place("", None)
