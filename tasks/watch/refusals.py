"""Calls that the web process has refused, counted in Redis: a wrong token shows here first."""

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
    """The address that was called."""

    WEBHOOK = "webhook"
    METRICS = "metrics"


Refusal: TypeAlias = tuple[Address, HTTPStatus]

# The metrics show each of these from 0 on, so that an alert notices the first refusal.
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
    """Add these counts of refused calls; without Redis they stay uncounted."""
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
