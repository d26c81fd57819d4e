"""Lanes keep the order of their messages, have one lock each, and hold a limited number."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from redis import Redis

from ireserve_mattermost.connections import producer_redis
from ireserve_mattermost.lanes import (
    LIMIT,
    MAX_WAITING,
    WAITING,
    Lane,
    LaneEntry,
    Lanes,
    TooManyError,
)
from tasks.licences.waiting_limit import read_limit, set_limit
from tests.stage.lane_entries import LANE, entry, keys


def test_entries_come_out_in_the_order_they_went_in(lanes: Lanes) -> None:
    """Entries come out complete and in their order."""
    for key in ("a", "b", "c"):
        lanes.append(LANE, entry(key))

    head = LaneEntry.load(lanes.head(LANE) or b"")

    assert (head.kind, head.key, head.task_id, head.payload) == (
        "reply",
        "a",
        "task",
        {"text": "ééé"},
    )
    assert abs(head.enqueued_at_ms / 1_000 - time.time()) < 5
    assert keys(lanes, LANE) == ["a", "b", "c"]


def test_only_the_handled_head_is_removed(lanes: Lanes) -> None:
    """A worker removes only the entry that it has handled, even if the lock was lost meanwhile."""
    lanes.append(LANE, entry("a"))
    lanes.append(LANE, entry("b"))
    first = lanes.head(LANE) or b""

    lanes.remove_head(LANE, first)
    lanes.remove_head(LANE, first)

    assert keys(lanes, LANE) == ["b"]


def test_lane_is_locked_for_others_until_it_is_released(lanes: Lanes) -> None:
    """A locked lane is refused to other workers at once."""
    with lanes.try_lock(LANE) as mine, lanes.try_lock(LANE) as theirs:
        assert mine is not None
        assert theirs is None

    with lanes.try_lock(LANE) as again:
        assert again is not None


def test_what_waits_for_a_licence_is_counted_and_bounded(lanes: Lanes, redis: Redis) -> None:
    """A licence that has its limit of waiting messages is refused more; other licences are not."""
    set_limit(redis, 2)
    for key in ("a", "b"):
        lanes.append(LANE, entry(key))

    with pytest.raises(TooManyError, match="'L1'"):
        lanes.append(LANE, entry("c"))
    lanes.append(Lane.of_conversation("L2", "c1"), entry("a"))
    counted = redis.hgetall(WAITING)
    taken = lanes.take("L1", wake_id="w")
    assert taken is not None
    lanes.advance(taken, taken.heads[:1])
    lanes.append(LANE, entry("c"))

    assert counted == {b"L1": b"2", b"L2": b"1"}
    assert keys(lanes, LANE) == ["b", "c"]
    assert redis.hgetall(WAITING) == {b"L2": b"1"}


def test_limit_that_is_no_number_counts_as_none(lanes: Lanes, redis: Redis) -> None:
    """If the stored limit is no number, the default holds."""
    redis.set(LIMIT, "many")

    lanes.append(LANE, entry("a"))

    assert keys(lanes, LANE) == ["a"]
    assert read_limit(redis) == MAX_WAITING


@pytest.mark.parametrize("licence_id", ["L1", "a:b", "ü/%", "*", "a?[b]"])
def test_lanes_of_a_licence_are_its_own(lanes: Lanes, licence_id: str) -> None:
    """Whatever characters its id has, a licence has only its own lanes."""
    mine = Lane.of_conversation(licence_id, "c:1")
    lanes.append(mine, entry("a"))
    lanes.append(Lane.of_conversation(f"{licence_id}x", "c:1"), entry("a"))

    assert Lane.parse(str(mine)) == mine
    assert lanes.waiting_of(licence_id) == [mine]


def test_two_hundred_threads_at_once_have_a_connection_each(redis_url: str) -> None:
    """Each of two hundred threads gets its own connection to Redis at the same time."""
    redis = producer_redis(redis_url)
    everyone = Barrier(200)

    def ask(_: int) -> bool:
        connection = redis.connection_pool.get_connection()
        everyone.wait(10)
        redis.connection_pool.release(connection)
        return True

    with ThreadPoolExecutor(200) as pool:
        assert all(pool.map(ask, range(200)))
    redis.close()
