"""When a message was last sent and a reply last recorded for each licence: kept in Redis.

From the tables, ``status`` would have to find each licence's newest row among millions.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast
from urllib.parse import quote

from redis import Redis
from redis.client import Pipeline

from ireserve_mattermost.lanes import LAST_SENT, PREFIX

LAST_RECORDED = PREFIX + "last_recorded"


@dataclass(frozen=True, slots=True)
class LastTimes:
    """When a message of each licence was last sent, and a reply to it last recorded.

    A licence is missing if that has not happened since Redis was emptied.
    """

    sent_at: Mapping[str, datetime]
    recorded_at: Mapping[str, datetime]


def note_recorded(pipeline: Pipeline, licence_id: str) -> None:
    """Note that a reply of the licence was recorded now."""
    pipeline.hset(LAST_RECORDED, quote(licence_id, safe=""), round(time.time() * 1_000))


def read_last_times(redis: Redis, licence_ids: list[str]) -> LastTimes:
    """Return the last times of these licences."""
    return LastTimes(_read(redis, LAST_SENT, licence_ids), _read(redis, LAST_RECORDED, licence_ids))


def forget_last_times(redis: Redis, licence_id: str) -> None:
    """Remove the last times of a licence that was removed."""
    for name in (LAST_SENT, LAST_RECORDED):
        redis.hdel(name, quote(licence_id, safe=""))


def _read(redis: Redis, name: str, licence_ids: list[str]) -> dict[str, datetime]:
    if not licence_ids:
        return {}
    fields = [quote(licence_id, safe="") for licence_id in licence_ids]
    found = cast("list[bytes | None]", redis.hmget(name, fields))
    return {
        licence_id: datetime.fromtimestamp(int(at_ms) / 1_000, UTC)
        for licence_id, at_ms in zip(licence_ids, found, strict=True)
        if at_ms is not None
    }
