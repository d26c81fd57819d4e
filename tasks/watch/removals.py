"""What retention has removed, and when it last ran: figures in Redis for metrics and status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import cast

from redis import Redis

from ireserve_mattermost.lanes import PREFIX
from tasks.watch.signs import now_ms

REMOVALS = PREFIX + "removals"
# With nothing left to remove a kind is looked at once an hour; rows get old by the day.
REST_S = 3_600
_RUN = "run_ms"


class Removable(StrEnum):
    """What is removed after a time."""

    CONVERSATIONS = "conversations"
    REPLIES = "replies"
    DELIVERIES = "deliveries"
    FILES = "files"


@dataclass(frozen=True, slots=True)
class Removals:
    """How much was removed of each kind since Redis was emptied; ``ran_at`` None: never ran."""

    removed: Mapping[str, int] = field(default_factory=dict)
    ran_at: datetime | None = None


def note_removed(redis: Redis, kind: Removable, count: int) -> None:
    """Count what was removed."""
    if count:
        redis.hincrby(REMOVALS, kind.value, count)


def note_run(redis: Redis) -> None:
    """Note that retention ran to its end."""
    redis.hset(REMOVALS, _RUN, now_ms(redis))


def rest(redis: Redis, kind: Removable) -> None:
    """Note that there is nothing left to remove of this kind for now."""
    redis.set(_resting(kind), 1, ex=REST_S)


def rests(redis: Redis, kind: Removable) -> bool:
    """Return whether there was nothing left to remove of this kind within the last hour."""
    return bool(redis.exists(_resting(kind)))


def read_removals(redis: Redis) -> Removals:
    """Return what was removed, and when retention last ran."""
    stored = cast("dict[bytes, bytes]", redis.hgetall(REMOVALS))
    counts = {name.decode(): int(value) for name, value in stored.items()}
    ran_ms = counts.get(_RUN)
    return Removals(
        {kind.value: counts.get(kind.value, 0) for kind in Removable},
        None if ran_ms is None else datetime.fromtimestamp(ran_ms / 1_000, UTC),
    )


def _resting(kind: Removable) -> str:
    return f"{REMOVALS}:rest:{kind.value}"
