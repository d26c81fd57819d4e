"""What `.delay()` writes into the queue and the lane of a real Redis."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import cast

import pytest
from redis import Redis

from ireserve_mattermost import post_reply
from ireserve_mattermost.connections import producer_redis
from ireserve_mattermost.lanes import PREFIX, LaneEntry, Lanes
from ireserve_mattermost.message_task import use_lanes
from ireserve_mattermost.wake_ups import QUEUE


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    """The Redis that `.delay()` writes to."""
    with producer_redis(redis_url) as redis:
        before = use_lanes(Lanes(redis))
        yield redis
        use_lanes(before)


def test_queue_shows_ids_alone_and_the_lane_holds_the_text(redis: Redis) -> None:
    """The queue, which Flower and `celery inspect` show, has only ids; the lane has the text."""
    result = post_reply.apply_async(
        ("L1", 7),
        {"message_id": "m1", "sender_name": "Gerardus", "sender_role": "visitor", "text": "geheim"},
        context={"request": "r-1"},
    )

    (raw,) = redis.lrange(QUEUE, 0, -1)
    message = json.loads(raw)
    args, kwargs, _ = json.loads(base64.b64decode(message["body"]))
    (entry,) = cast("list[bytes]", redis.lrange(f"{PREFIX}lane:L1:c:7", 0, -1))
    assert (args, kwargs) == (
        [],
        {"licence_id": "L1", "conversation_id": 7, "message_id": "m1"},
    )
    assert message["headers"]["id"] == result.id
    assert not any(word in str(message) for word in ("Gerardus", "geheim"))
    assert LaneEntry.load(entry).payload["text"] == "geheim"
    assert LaneEntry.load(entry).context == {"request": "r-1"}
