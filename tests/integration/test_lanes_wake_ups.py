"""A licence's messages put few wake-ups into the queue, and a lost one is replaced."""

from __future__ import annotations

import json

import pytest
from redis import Redis

from ireserve_mattermost.lanes import MAX_WAKE_UPS, PREFIX, Lane, LaneEntry, Lanes
from ireserve_mattermost.wake_ups import QUEUE
from tasks.licences.circuit import Circuits
from tests.stage.lane_entries import LANE, entry
from tests.waiting import wait_until


def _wake(key: str) -> str:
    return json.dumps({"wakes": key})


def test_only_the_first_message_of_a_lane_wakes_a_worker(lanes: Lanes) -> None:
    """Only the first message of an empty lane wakes a worker."""
    woken = [lanes.append(LANE, entry(key), wake=_wake(key)) for key in ("a", "b", "c")]
    taken = lanes.take("L1", wake_id="task")
    assert taken is not None
    lanes.advance(taken, taken.heads)
    assert lanes.take("L1", wake_id="task") is None

    woken_again = lanes.append(LANE, entry("d"), wake=_wake("d"))

    assert (woken, woken_again) == ([True, False, False], True)


def _append_many(lanes: Lanes, count: int) -> list[str]:
    """Append a message to each of ``count`` lanes; return the ids of the wake-ups."""
    woken = []
    for number in range(count):
        lane, task_id = Lane.of_conversation("L1", f"c{number}"), f"task-{number}"
        message = LaneEntry("reply", "reply:m", task_id, {})
        if lanes.append(lane, message, wake=json.dumps({"headers": {"id": task_id}})):
            woken.append(task_id)
    return woken


def _next_wake_up(redis: Redis) -> str | None:
    """Take the next wake-up from the queue, as a worker does; return its id."""
    message = redis.rpop(QUEUE)
    assert message is None or isinstance(message, bytes)
    return None if message is None else str(json.loads(message)["headers"]["id"])


def test_what_a_licence_enqueues_at_once_is_one_wake_up(lanes: Lanes, redis: Redis) -> None:
    """However many conversations a licence enqueues in, the queue gets one wake-up."""
    woken = _append_many(lanes, 100)
    other = lanes.append(Lane.of_conversation("L2", "c"), entry("a"), wake=_wake("other"))

    assert (woken, other) == (["task-0"], True)
    assert redis.llen(QUEUE) == 2


def test_each_thread_that_takes_a_lane_wakes_another_while_more_is_due(
    lanes: Lanes, redis: Redis
) -> None:
    """Each thread that takes a lane wakes another, up to the licence's share."""
    _append_many(lanes, 100)
    in_queue, taken = [], []

    while wake_id := _next_wake_up(redis):
        taken.append(lanes.take("L1", wake_id=wake_id))
        in_queue.append(redis.llen(QUEUE))

    assert in_queue == [1] * (MAX_WAKE_UPS - 1) + [0]
    assert len({str(each.lane) for each in taken if each}) == MAX_WAKE_UPS


def test_lost_wake_up_does_not_stand_for_those_that_follow(
    lanes: Lanes, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Soon after a lost wake-up, the licence's next message wakes a worker again."""
    monkeypatch.setattr("ireserve_mattermost.lanes.QUEUED_MS", 20)
    _append_many(lanes, 1)
    redis.delete(QUEUE)
    other = Lane.of_conversation("L1", "other")

    def wakes() -> bool:
        drained = lanes.head(other)
        if drained is not None:
            lanes.remove_head(other, drained)
            lanes.unmark_if_empty(other)
        return lanes.append(other, entry("b"), wake=_wake("b"))

    assert wait_until(wakes, what="a second wake-up")


def test_licence_that_is_left_alone_is_not_woken(lanes: Lanes, redis: Redis) -> None:
    """A licence in a pause is not woken, and its messages are due when the pause ends."""
    Circuits(redis).pause("L1", seconds=60)
    woken = lanes.append(LANE, entry("a"), wake=_wake("a"))
    taken = lanes.take("L1", wake_id="w")
    redis.delete(f"{PREFIX}circuit:L1")

    assert (woken, taken) == (False, None)
    assert lanes.revive("L1", overdue_ms=0)
    assert lanes.take("L1", wake_id="w") is not None


def test_lost_wake_up_is_made_up_for(
    lanes: Lanes, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a lane that has been due for long, the sweep publishes one new wake-up."""
    monkeypatch.setattr("ireserve_mattermost.lanes.QUEUED_MS", 20)
    lanes.append(LANE, entry("a"), wake=_wake("a"))
    redis.delete(QUEUE)

    too_early = lanes.revive("L1")
    wait_until(lambda: lanes.revive("L1", overdue_ms=0), what="a wake-up in the place of the lost")

    assert not too_early
    (message,) = redis.lrange(QUEUE, 0, -1)
    assert json.loads(message)["headers"]["task"] == "mattermost.drain_licence"


def test_wake_ups_that_are_not_heard_of_are_lost(lanes: Lanes, redis: Redis) -> None:
    """After all wake-ups of a licence were lost, the licence is woken again."""
    lanes.append(LANE, entry("a"))
    redis.zadd(f"{PREFIX}wakes:L1", {f"dead-{n}": 1 for n in range(MAX_WAKE_UPS)})

    assert lanes.revive("L1", overdue_ms=0)


@pytest.mark.parametrize("ahead_ms", [3_600_000, 10**12])
def test_clock_that_was_set_back_stops_no_lane(lanes: Lanes, redis: Redis, ahead_ms: int) -> None:
    """A due time further ahead than any pause counts as due."""
    lanes.append(LANE, entry("a"))
    seconds, _ = redis.time()
    redis.zadd(f"{PREFIX}lanes:L1", {str(LANE): seconds * 1_000 + ahead_ms})
    redis.zadd(f"{PREFIX}wakes:L1", {f"w{n}": seconds * 1_000 + ahead_ms for n in range(99)})

    assert lanes.revive("L1")
    assert lanes.take("L1", wake_id="w") is not None


def test_wake_up_that_is_not_served_is_given_back_unless_it_is_the_last(
    lanes: Lanes, redis: Redis
) -> None:
    """A wake-up may end unused, unless it is the licence's last and lanes are due."""
    _append_many(lanes, 3)
    lanes.take("L1", wake_id=_next_wake_up(redis) or "")
    second = _next_wake_up(redis) or ""

    needed = [lanes.give_back("L1", wake_id=each) for each in (second, "task-0")]

    assert needed == [False, True]


def test_licence_that_has_its_share_is_not_woken_again_and_again(
    lanes: Lanes, redis: Redis
) -> None:
    """While a worker sends a licence's messages, a wake-up that was given back is not replaced."""
    _append_many(lanes, 50)
    first, given_back = _next_wake_up(redis) or "", []

    while taken := lanes.take("L1", wake_id=first):
        if wake_id := _next_wake_up(redis):
            given_back.append(lanes.give_back("L1", wake_id=wake_id))
        lanes.advance(taken, taken.heads)

    assert given_back == [False] * (MAX_WAKE_UPS - 1)
    assert _append_many(lanes, 50) == ["task-0"]
