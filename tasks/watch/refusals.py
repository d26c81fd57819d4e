"""Calls that web has refused: a wrong token shows here first. Counted in Redis for the metrics."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from enum import StrEnum
from http import HTTPStatus
from typing import TypeAlias, cast

from redis import Redis
from redis.exceptions import RedisError

from ireserve_mattermost.lanes import PREFIX

REFUSED = PREFIX + "refused"


class Address(StrEnum):
    """What was called."""

    WEBHOOK = "webhook"
    METRICS = "metrics"


Refusal: TypeAlias = tuple[Address, HTTPStatus]

# Each is there with 0 from the beginning: an alert sees the first one.
POSSIBLE: tuple[Refusal, ...] = (
    (Address.WEBHOOK, HTTPStatus.BAD_REQUEST),
    (Address.WEBHOOK, HTTPStatus.UNAUTHORIZED),
    (Address.WEBHOOK, HTTPStatus.METHOD_NOT_ALLOWED),
    (Address.WEBHOOK, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (Address.WEBHOOK, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
    (Address.WEBHOOK, HTTPStatus.SERVICE_UNAVAILABLE),
    (Address.METRICS, HTTPStatus.UNAUTHORIZED),
)


def count_refused(redis: Redis, counts: Mapping[Refusal, int]) -> None:
    """Add to what was refused; without Redis it stays uncounted."""
    with suppress(RedisError), redis.pipeline(transaction=False) as pipeline:
        for refusal, count in counts.items():
            pipeline.hincrby(REFUSED, _field(refusal), count)
        pipeline.execute()


def read_refused(redis: Redis) -> dict[Refusal, int]:
    """Return how many calls were refused since Redis was emptied."""
    stored = cast("dict[bytes, bytes]", redis.hgetall(REFUSED))
    return {refusal: int(stored.get(_field(refusal).encode(), 0)) for refusal in POSSIBLE}


def _field(refusal: Refusal) -> str:
    address, status = refusal
    return f"{address.value}:{status.value}"
