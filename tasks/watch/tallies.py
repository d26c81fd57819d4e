"""Tallies: how many messages and replies ended how, counted in Redis for the metrics.

Counting rows of a ledger with millions of them would take longer the better it goes. A message is
counted in the same step that takes it out of its lane, so it is never counted twice; a worker that
dies before that step leaves one uncounted.
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

# The upper ends of the buckets of the delay. Tenths of a second are usual; 5 s is a lost wake-up,
# 30 s a server that came back, 600 s what a message waits by default before it fails.
DELAY_BUCKETS_S = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0, math.inf)
# Messages for licences that are not registered are counted together: a mistake of a host that
# enqueues may name any number of them.
NO_LICENCE = ""
# Fields to a request: Redis does nothing else meanwhile.
SCAN_COUNT = 1_000
# What a scan finds as one text: the client takes a list apart field by field, which takes ten times
# as long. A field has no blank, since the licence in it is percent-encoded.
_SCAN = """
local found = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])
return {found[1], table.concat(found[2], ' ')}
"""
# What a reply is that i-Reserve has, among what may become of one.
_RECORDED = "recorded"


@dataclass(slots=True)
class Tally:
    """What was counted of one licence.

    ``messages`` by kind and state, ``unknown`` those of them with arguments that the worker does
    not know, by kind, ``replies`` by path and state, ``delays`` by the upper end of
    their bucket (each counted in one bucket alone), ``delay_ms`` all delays together.
    """

    messages: Counter[tuple[str, str]] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    replies: Counter[tuple[str, str]] = field(default_factory=Counter)
    delays: Counter[float] = field(default_factory=Counter)
    delay_ms: int = 0


def counts_of(
    lane: Lane, entries: Sequence[LaneEntry], settled: Sequence[Settled]
) -> Mapping[str, int]:
    """Return what these settled messages add to which field; nothing for a duplicate."""
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
    # What is no message says nothing of how long one takes.
    if settled.state is DeliveryState.SENT and DeliveryKind(entry.kind).is_message:
        delay_ms = max(0, round(settled.at_ms - entry.enqueued_at_ms))
        bucket = DELAY_BUCKETS_S[bisect_left(DELAY_BUCKETS_S, delay_ms / 1_000)]
        counts |= {f"{licence}delay:{bucket}": 1, f"{licence}delay_ms": delay_ms}
    return counts


class Tallies:
    """All that was counted in one Redis database; a Redis that is emptied begins anew."""

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
        """Return what was counted of each licence."""
        tallies: defaultdict[str, Tally] = defaultdict(Tally)
        for name, value in self._fields():
            licence, _, rest = name.partition(":")
            # A scan may show a field twice: put, not added.
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
        """Remove what was counted of a licence that is gone."""
        # Of the characters that percent-encoding leaves, none is special in Redis' patterns.
        pattern = f"{_prefix(licence_id)}*"
        scan = self._redis.hscan_iter(TALLIES, match=pattern, count=SCAN_COUNT)
        for name in [name for name, _ in scan]:
            self._redis.hdel(TALLIES, name)
        forget_last_times(self._redis, licence_id)


def _prefix(licence_id: str) -> str:
    return f"{quote(licence_id, safe='')}:"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a field of the hash belongs in a tally: the attribute, and the key in it if any."""

    name: str
    key: Any

    def put(self, tally: Tally, value: int) -> None:
        if self.name == "delay_ms":
            tally.delay_ms = value
        elif self.name:
            getattr(tally, self.name)[self.key] = value


# There are some thirty, whatever the number of licences; more are another version's.
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
