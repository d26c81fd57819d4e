"""Lanes: order, the lock, wake-ups, and a licence's share of the threads."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

import pytest
from redis import Redis

from ireserve_mattermost import locks
from ireserve_mattermost.connections import producer_redis
from ireserve_mattermost.lanes import (
    LIMIT,
    MAX_WAITING,
    MAX_WAKE_UPS,
    PREFIX,
    WAITING,
    Lane,
    LaneEntry,
    Lanes,
    LockLostError,
    TooManyError,
)
from ireserve_mattermost.unreadable import UNREADABLE
from ireserve_mattermost.wake_ups import QUEUE
from tasks.licences.circuit import Circuits
from tasks.licences.waiting_limit import read_limit, set_limit
from tasks.outbound.drain import enter, serve
from tests.stage.stage import VISITOR, Stage, drain
from tests.waiting import wait_until

LANE = Lane.of_conversation("L1", "c1")


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    """An empty Redis."""
    with Redis.from_url(redis_url) as redis:
        yield redis


@pytest.fixture
def lanes(redis: Redis) -> Lanes:
    """The lanes in an empty Redis."""
    return Lanes(redis)


def _entry(key: str) -> LaneEntry:
    return LaneEntry("reply", key, "task", {"text": "ééé"})


def _keys(lanes: Lanes, lane: Lane) -> list[str]:
    found = []
    raw = lanes.head(lane)
    while raw is not None:
        found.append(LaneEntry.load(raw).key)
        raw = lanes.remove_head(lane, raw)
    return found


def test_entries_come_out_in_the_order_they_went_in(lanes: Lanes) -> None:
    """Entries come out complete and in their order."""
    for key in ("a", "b", "c"):
        lanes.append(LANE, _entry(key))

    head = LaneEntry.load(lanes.head(LANE) or b"")

    assert (head.kind, head.key, head.task_id, head.payload) == (
        "reply",
        "a",
        "task",
        {"text": "ééé"},
    )
    assert abs(head.enqueued_at_ms / 1_000 - time.time()) < 5
    assert _keys(lanes, LANE) == ["a", "b", "c"]


def test_only_the_handled_head_is_removed(lanes: Lanes) -> None:
    """A worker that lost its lock cannot remove another worker's entry."""
    lanes.append(LANE, _entry("a"))
    lanes.append(LANE, _entry("b"))
    first = lanes.head(LANE) or b""

    lanes.remove_head(LANE, first)
    lanes.remove_head(LANE, first)

    assert _keys(lanes, LANE) == ["b"]


def test_lane_is_locked_for_others_until_it_is_let_go(lanes: Lanes) -> None:
    """A locked lane is refused to other workers at once."""
    with lanes.try_lock(LANE) as mine, lanes.try_lock(LANE) as theirs:
        assert mine is not None
        assert theirs is None

    with lanes.try_lock(LANE) as again:
        assert again is not None


def test_lost_lock_is_noticed_before_the_next_send(
    lanes: Lanes, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that lost its lock notices it before the next message."""
    monkeypatch.setattr(locks, "FRESH_S", 0.0)

    with lanes.try_lock(LANE) as lock, Redis.from_url(redis_url) as redis:
        assert lock is not None
        redis.delete(f"ireserve-mattermost:lock:{LANE}")

        with pytest.raises(LockLostError):
            lock.extend()


def _wake(key: str) -> str:
    return json.dumps({"wakes": key})


def _make_due(lanes: Lanes, lane: Lane, redis: Redis) -> None:
    redis.zadd(f"{PREFIX}lanes:{lane.licence_id}", {str(lane): 0}, xx=True)


def test_only_the_first_message_of_a_lane_wakes_a_worker(lanes: Lanes) -> None:
    """Only the first message of an empty lane wakes a worker."""
    woken = [lanes.append(LANE, _entry(key), wake=_wake(key)) for key in ("a", "b", "c")]
    taken = lanes.take("L1", wake_id="task")
    assert taken is not None
    lanes.advance(taken, taken.heads)
    assert lanes.take("L1", wake_id="task") is None

    woken_again = lanes.append(LANE, _entry("d"), wake=_wake("d"))

    assert (woken, woken_again) == ([True, False, False], True)


def _append_many(lanes: Lanes, count: int) -> list[str]:
    """Append a message to each of this many lanes; return the ids of the wake-ups."""
    woken = []
    for number in range(count):
        lane, task_id = Lane.of_conversation("L1", f"c{number}"), f"task-{number}"
        entry = LaneEntry("reply", "reply:m", task_id, {})
        if lanes.append(lane, entry, wake=json.dumps({"headers": {"id": task_id}})):
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
    other = lanes.append(Lane.of_conversation("L2", "c"), _entry("a"), wake=_wake("other"))

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
        return lanes.append(other, _entry("b"), wake=_wake("b"))

    assert wait_until(wakes, what="a second wake-up")


def test_licence_that_is_left_alone_is_not_woken(lanes: Lanes, redis: Redis) -> None:
    """A licence in a pause is not woken, and its messages are due when the pause ends."""
    Circuits(redis).pause("L1", seconds=60)
    woken = lanes.append(LANE, _entry("a"), wake=_wake("a"))
    taken = lanes.take("L1", wake_id="w")
    redis.delete(f"{PREFIX}circuit:L1")

    assert (woken, taken) == (False, None)
    assert lanes.revive("L1", overdue_ms=0)
    assert lanes.take("L1", wake_id="w") is not None


def test_message_that_has_waited_for_too_long_is_handed_out_all_the_same(redis: Redis) -> None:
    """A message that waited too long is handed out to fail, even if the server is away."""
    lanes = Lanes(redis, hold_ms=0)
    lanes.append(LANE, _entry("a"))
    Circuits(redis).pause("L1", seconds=60)

    assert lanes.take("L1", wake_id="w") is not None


def test_lost_wake_up_is_made_up_for(
    lanes: Lanes, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lane that has been due for long is woken once, even if other wake-ups exist."""
    monkeypatch.setattr("ireserve_mattermost.lanes.QUEUED_MS", 20)
    lanes.append(LANE, _entry("a"), wake=_wake("a"))
    redis.delete(QUEUE)

    too_early = lanes.revive("L1")
    wait_until(lambda: lanes.revive("L1", overdue_ms=0), what="a wake-up in the place of the lost")

    assert not too_early
    (message,) = redis.lrange(QUEUE, 0, -1)
    assert json.loads(message)["headers"]["task"] == "mattermost.drain_licence"


def test_wake_ups_that_are_not_heard_of_are_lost(lanes: Lanes, redis: Redis) -> None:
    """After all of a licence's wake-ups were lost, its lanes are woken again."""
    lanes.append(LANE, _entry("a"))
    redis.zadd(f"{PREFIX}wakes:L1", {f"dead-{n}": 1 for n in range(MAX_WAKE_UPS)})

    assert lanes.revive("L1", overdue_ms=0)


@pytest.mark.parametrize("ahead_ms", [3_600_000, 10**12])
def test_clock_that_was_set_back_stops_no_lane(lanes: Lanes, redis: Redis, ahead_ms: int) -> None:
    """A due time further ahead than any pause counts as due."""
    lanes.append(LANE, _entry("a"))
    seconds, _ = redis.time()
    redis.zadd(f"{PREFIX}lanes:L1", {str(LANE): seconds * 1_000 + ahead_ms})
    redis.zadd(f"{PREFIX}wakes:L1", {f"w{n}": seconds * 1_000 + ahead_ms for n in range(99)})

    assert lanes.revive("L1")
    assert lanes.take("L1", wake_id="w") is not None


def test_taken_lane_is_emptied_and_let_go_in_one_step(lanes: Lanes) -> None:
    """Removing the last taken entries also unlocks the lane."""
    for number in range(12):
        lanes.append(LANE, _entry(f"{number}"))
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
        lanes.append(Lane.of_conversation("L1", name), _entry("a"))
        time.sleep(0.002)

    taken = [lanes.take("L1", wake_id="w") for _ in names]

    assert [each.lane.subject for each in taken if each is not None] == names


def test_lane_that_is_left_alone_is_handed_out_to_none(lanes: Lanes) -> None:
    """A lane that waits for a lost answer is handed out to no worker."""
    lanes.append(LANE, _entry("a"))
    taken = lanes.take("L1", wake_id="w")
    assert taken is not None
    lanes.release(taken, seconds=0.2, not_earlier=True)
    lanes.append(LANE, _entry("b"))

    at_once = lanes.take("L1", wake_id="w")
    later = wait_until(lambda: lanes.take("L1", wake_id="w"), what="the end of the pause")

    assert at_once is None
    assert [LaneEntry.load(raw).key for raw in later.heads] == ["a", "b"]


def test_lane_does_not_wait_for_the_end_of_a_pause_that_is_over(lanes: Lanes) -> None:
    """A lane does not wait for a pause that ended before the lane was unlocked."""
    lanes.append(LANE, _entry("a"))
    taken = lanes.take("L1", wake_id="w")
    assert taken is not None

    lanes.release(taken, seconds=30)

    wait_until(lambda: lanes.take("L1", wake_id="w"), what="the lane", timeout_s=5)


def test_worker_that_lost_the_lane_removes_nothing(lanes: Lanes, redis: Redis) -> None:
    """A worker whose lock has expired removes nothing and is told so."""
    lanes.append(LANE, _entry("a"))
    taken = lanes.take("L1", wake_id="w")
    assert taken is not None
    redis.delete(f"{PREFIX}lock:{LANE}")
    _make_due(lanes, LANE, redis)
    other = lanes.take("L1", wake_id="x")

    with pytest.raises(LockLostError):
        lanes.advance(taken, taken.heads)

    assert other is not None
    assert _keys(lanes, LANE) == ["a"]


def test_wake_up_that_is_not_served_is_given_back_unless_it_is_the_last(
    lanes: Lanes, redis: Redis
) -> None:
    """An unserved wake-up is given back, unless it is the last while lanes are due."""
    _append_many(lanes, 3)
    lanes.take("L1", wake_id=_next_wake_up(redis) or "")
    second = _next_wake_up(redis) or ""

    needed = [lanes.give_back("L1", wake_id=each) for each in (second, "task-0")]

    assert needed == [False, True]


def test_licence_that_has_its_share_is_not_woken_again_and_again(
    lanes: Lanes, redis: Redis
) -> None:
    """Wake-ups that were given back count until no message of the licence waits."""
    _append_many(lanes, 50)
    first, given_back = _next_wake_up(redis) or "", []

    while taken := lanes.take("L1", wake_id=first):
        if wake_id := _next_wake_up(redis):
            given_back.append(lanes.give_back("L1", wake_id=wake_id))
        lanes.advance(taken, taken.heads)

    assert given_back == [False] * (MAX_WAKE_UPS - 1)
    assert _append_many(lanes, 50) == ["task-0"]


def test_name_that_is_no_lane_stops_no_other(lanes: Lanes, redis: Redis) -> None:
    """A name that is no lane is set aside, and its content stays."""
    lanes.append(LANE, _entry("a"))
    redis.zadd(f"{PREFIX}lanes:L1", {"zz": 0})
    redis.rpush(f"{PREFIX}lane:zz", "x")

    taken = lanes.take("L1", wake_id="w")

    assert taken is not None
    assert taken.lane == LANE
    assert redis.lrange(UNREADABLE, 0, -1) == [b"zz"]


def test_what_waits_for_a_licence_is_counted_and_bounded(lanes: Lanes, redis: Redis) -> None:
    """Over a licence's limit of waiting messages the call is refused, and others are not."""
    set_limit(redis, 2)
    for key in ("a", "b"):
        lanes.append(LANE, _entry(key))

    with pytest.raises(TooManyError, match="'L1'"):
        lanes.append(LANE, _entry("c"))
    lanes.append(Lane.of_conversation("L2", "c1"), _entry("a"))
    counted = redis.hgetall(WAITING)
    taken = lanes.take("L1", wake_id="w")
    assert taken is not None
    lanes.advance(taken, taken.heads[:1])
    lanes.append(LANE, _entry("c"))

    assert counted == {b"L1": b"2", b"L2": b"1"}
    assert _keys(lanes, LANE) == ["b", "c"]
    assert redis.hgetall(WAITING) == {b"L2": b"1"}


def test_limit_that_is_no_number_counts_as_none(lanes: Lanes, redis: Redis) -> None:
    """A limit that is no number is ignored."""
    redis.set(LIMIT, "many")

    lanes.append(LANE, _entry("a"))

    assert _keys(lanes, LANE) == ["a"]
    assert read_limit(redis) == MAX_WAITING


@pytest.mark.parametrize("licence_id", ["L1", "a:b", "ü/%", "*", "a?[b]"])
def test_lanes_of_a_licence_are_its_own(lanes: Lanes, licence_id: str) -> None:
    """Whatever characters its id has, a licence has only its own lanes."""
    mine = Lane.of_conversation(licence_id, "c:1")
    lanes.append(mine, _entry("a"))
    lanes.append(Lane.of_conversation(f"{licence_id}x", "c:1"), _entry("a"))

    assert Lane.parse(str(mine)) == mine
    assert lanes.waiting_of(licence_id) == [mine]


def test_two_hundred_threads_at_once_have_a_connection_each(redis_url: str) -> None:
    """Two hundred threads at once get a connection to Redis each."""
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


def test_message_appended_while_the_lane_is_let_go_is_not_left_behind(stage: Stage) -> None:
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


def test_stopping_worker_leaves_the_rest_in_its_lane(stage: Stage) -> None:
    """A stopping worker finishes its message and leaves the rest in the lane."""
    lane = stage.append("reply", conversation_id="c1", message_id="m1", text="x", **VISITOR)
    stage.runtime.stopping.set()

    report = drain(stage.runtime, lane)

    assert str(report) == "nothing to do: another task has it"
    assert stage.runtime.redis.llen(QUEUE) == 1
    assert stage.runtime.lanes.head(lane) is not None
    assert stage.runtime.lanes.waiting_of("L1") == [lane]
