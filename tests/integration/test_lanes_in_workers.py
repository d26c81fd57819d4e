"""Workers take, empty and unlock lanes, and only one worker at a time has a lane."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from redis import Redis

from ireserve_mattermost.lanes import PREFIX, Lane, LaneEntry, Lanes, LockLostError
from ireserve_mattermost.unreadable import UNREADABLE
from ireserve_mattermost.wake_ups import QUEUE
from tasks.licences.circuit import Circuits
from tasks.outbound.drain import enter, serve
from tests.stage.lane_entries import LANE, entry, keys
from tests.stage.stage import VISITOR, Stage, drain
from tests.waiting import wait_until


def _make_due(lanes: Lanes, lane: Lane, redis: Redis) -> None:
    redis.zadd(f"{PREFIX}lanes:{lane.licence_id}", {str(lane): 0}, xx=True)


def test_message_that_has_waited_for_too_long_is_taken_even_during_a_pause(redis: Redis) -> None:
    """A worker takes a message that waited too long even during a pause, so that it fails."""
    lanes = Lanes(redis, hold_ms=0)
    lanes.append(LANE, entry("a"))
    Circuits(redis).pause("L1", seconds=60)

    assert lanes.take("L1", wake_id="w") is not None


def test_taken_lane_is_emptied_and_released_in_one_step(lanes: Lanes) -> None:
    """Removing the last taken entries also unlocks the lane."""
    for number in range(12):
        lanes.append(LANE, entry(f"{number}"))
    taken = lanes.take("L1", wake_id="w")
    assert taken is not None

    following = lanes.advance(taken, taken.heads)
    locked_meanwhile = lanes.take("L1", wake_id="x")
    last = lanes.advance(taken, following)

    assert [LaneEntry.load(raw).key for raw in taken.heads] == [str(n) for n in range(10)]
    assert [LaneEntry.load(raw).key for raw in following] == ["10", "11"]
    assert (locked_meanwhile, last) == (None, ())
    assert lanes.waiting_of("L1") == []
    with lanes.try_lock(LANE) as lock:
        assert lock is not None


def test_lane_that_has_been_due_for_longest_comes_first(lanes: Lanes) -> None:
    """The lane that has been due for longest comes first."""
    names = ["c3", "c1", "c2"]
    for name in names:
        lanes.append(Lane.of_conversation("L1", name), entry("a"))
        time.sleep(0.002)

    taken = [lanes.take("L1", wake_id="w") for _ in names]

    assert [each.lane.subject for each in taken if each is not None] == names


def test_paused_lane_is_taken_by_no_worker(lanes: Lanes) -> None:
    """No worker takes a paused lane, even after a new message, until the pause ends."""
    lanes.append(LANE, entry("a"))
    taken = lanes.take("L1", wake_id="w")
    assert taken is not None
    lanes.release(taken, seconds=0.2, not_earlier=True)
    lanes.append(LANE, entry("b"))

    at_once = lanes.take("L1", wake_id="w")
    later = wait_until(lambda: lanes.take("L1", wake_id="w"), what="the end of the pause")

    assert at_once is None
    assert [LaneEntry.load(raw).key for raw in later.heads] == ["a", "b"]


def test_lane_does_not_wait_for_the_end_of_a_pause_that_is_over(lanes: Lanes) -> None:
    """A lane does not wait for a pause that ended before the lane was unlocked."""
    lanes.append(LANE, entry("a"))
    taken = lanes.take("L1", wake_id="w")
    assert taken is not None

    lanes.release(taken, seconds=30)

    wait_until(lambda: lanes.take("L1", wake_id="w"), what="the lane", timeout_s=5)


def test_worker_that_lost_the_lane_removes_nothing(lanes: Lanes, redis: Redis) -> None:
    """A worker whose lock has expired removes nothing and gets an error."""
    lanes.append(LANE, entry("a"))
    taken = lanes.take("L1", wake_id="w")
    assert taken is not None
    redis.delete(f"{PREFIX}lock:{LANE}")
    _make_due(lanes, LANE, redis)
    other = lanes.take("L1", wake_id="x")

    with pytest.raises(LockLostError):
        lanes.advance(taken, taken.heads)

    assert other is not None
    assert keys(lanes, LANE) == ["a"]


def test_name_that_is_no_lane_stops_no_other(lanes: Lanes, redis: Redis) -> None:
    """A name that is no lane is set aside, and a worker gets the other lane."""
    lanes.append(LANE, entry("a"))
    redis.zadd(f"{PREFIX}lanes:L1", {"zz": 0})
    redis.rpush(f"{PREFIX}lane:zz", "x")

    taken = lanes.take("L1", wake_id="w")

    assert taken is not None
    assert taken.lane == LANE
    assert redis.lrange(UNREADABLE, 0, -1) == [b"zz"]


def test_message_appended_while_the_lane_is_released_is_not_left_behind(stage: Stage) -> None:
    """A message appended while its lane is unlocked is sent without the sweep."""

    def work(licence_id: str) -> None:
        serve(stage.runtime, enter(stage.runtime, licence_id, wake_id=str(uuid4())))

    def produce(conversation: int) -> None:
        for number in range(15):
            arguments = {"conversation_id": f"c{conversation}", "message_id": f"{number}"}
            lane = stage.append("reply", **arguments, text=f"{number}", **VISITOR)
            pool.submit(work, lane.licence_id)

    with ThreadPoolExecutor(4) as pool, ThreadPoolExecutor(3) as producers:
        list(producers.map(produce, range(3)))

    assert stage.runtime.lanes.waiting_of("L1") == []
    by_root: dict[str, list[str]] = {}
    # In the order of arrival, since two posts can have the same creation time.
    for post in stage.posts_sent():
        if post.root_id:
            by_root.setdefault(post.root_id, []).append(post.message.splitlines()[-1])
    assert list(by_root.values()) == [[str(number) for number in range(15)]] * 3


def test_stopping_worker_sends_nothing_and_wakes_another(stage: Stage) -> None:
    """A stopping worker sends nothing, leaves the message in its lane and wakes another worker."""
    lane = stage.append("reply", conversation_id="c1", message_id="m1", text="x", **VISITOR)
    stage.runtime.stopping.set()

    report = drain(stage.runtime, lane)

    assert str(report) == "nothing to do: another task has it"
    assert stage.runtime.redis.llen(QUEUE) == 1
    assert stage.runtime.lanes.head(lane) is not None
    assert stage.runtime.lanes.waiting_of("L1") == [lane]
