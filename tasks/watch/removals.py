"""What retention has removed, and when it last ran: kept in Redis for the metrics and status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import cast

from redis import Redis

from ireserve_mattermost.lanes import PREFIX
from tasks.watch.redis_clock import now_ms

REMOVALS = PREFIX + "removals"
# When nothing of a kind is left to remove, retention looks again after an hour. Rows are kept
# for days, so this is soon enough.
NONE_LEFT_FOR_S = 3_600
_RUN = "run_ms"


class Removable(StrEnum):
    """The kinds of data that retention removes."""

    CONVERSATIONS = "conversations"
    REPLIES = "replies"
    DELIVERIES = "deliveries"
    FILES = "files"


@dataclass(frozen=True, slots=True)
class Removals:
    """How much of each kind was removed since Redis was emptied, and when retention last ran."""

    removed: Mapping[str, int] = field(default_factory=dict)
    ran_at: datetime | None = None


def note_removed(redis: Redis, kind: Removable, count: int) -> None:
    """Add to the count of what was removed of this kind."""
    if count:
        redis.hincrby(REMOVALS, kind.value, count)


def note_run(redis: Redis) -> None:
    """Note that retention ran to its end."""
    redis.hset(REMOVALS, _RUN, now_ms(redis))


def note_none_left(redis: Redis, kind: Removable) -> None:
    """Note that nothing of this kind is left to remove, for an hour."""
    redis.set(_none_left_key(kind), 1, ex=NONE_LEFT_FOR_S)


def is_none_left(redis: Redis, kind: Removable) -> bool:
    """Return whether nothing of this kind was left to remove within the last hour."""
    return bool(redis.exists(_none_left_key(kind)))


def read_removals(redis: Redis) -> Removals:
    """Return what was removed, and when retention last ran."""
    stored = cast("dict[bytes, bytes]", redis.hgetall(REMOVALS))
    counts = {name.decode(): int(value) for name, value in stored.items()}
    ran_ms = counts.get(_RUN)
    return Removals(
        {kind.value: counts.get(kind.value, 0) for kind in Removable},
        None if ran_ms is None else datetime.fromtimestamp(ran_ms / 1_000, UTC),
    )


def _none_left_key(kind: Removable) -> str:
    return f"{REMOVALS}:rest:{kind.value}"
