"""Lanes: order, the lock, waking, and a licence's share of the threads."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis

from ireserve_mattermost import lanes as lanes_module
from ireserve_mattermost.lanes import Lane, LaneEntry, LaneLostError, Lanes
from tasks.licences.slots import Slots
from tasks.outbound.drain import drain
from tests.stage.stage import VISITOR, Stage
from tests.waiting import wait_until

LANE = Lane.of_conversation("L1", "c1")


@pytest.fixture
def lanes(redis_url: str) -> Iterator[Lanes]:
    """The lanes of an empty Redis."""
    with Redis.from_url(redis_url) as redis:
        yield Lanes(redis)


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
    """First in, first out, with everything that was enqueued."""
    for key in ("a", "b", "c"):
        lanes.append(LANE, _entry(key))

    head = LaneEntry.load(lanes.head(LANE) or b"")

    assert (head.kind, head.key, head.task_id, head.payload) == (
        "reply",
        "a",
        "task",
        {"text": "ééé"},
    )
    assert abs(head.enqueued_at_ms - lanes.now_ms()) < 5_000
    assert _keys(lanes, LANE) == ["a", "b", "c"]


def test_only_the_handled_head_is_removed(lanes: Lanes) -> None:
    """A worker that lost its lock cannot remove what another one is at."""
    lanes.append(LANE, _entry("a"))
    lanes.append(LANE, _entry("b"))
    first = lanes.head(LANE) or b""

    lanes.remove_head(LANE, first)
    lanes.remove_head(LANE, first)

    assert _keys(lanes, LANE) == ["b"]


def test_lane_is_locked_for_others_until_it_is_let_go(lanes: Lanes) -> None:
    """Whoever does not get the lock is told so at once."""
    with lanes.locked(LANE) as mine, lanes.locked(LANE) as theirs:
        assert mine is not None
        assert theirs is None

    with lanes.locked(LANE) as again:
        assert again is not None


def test_lost_lock_is_noticed_before_the_next_send(
    lanes: Lanes, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that was away for too long must not go on."""
    monkeypatch.setattr(lanes_module, "FRESH_S", 0.0)

    with lanes.locked(LANE) as lock, Redis.from_url(redis_url) as redis:
        assert lock is not None
        redis.delete(f"ireserve-mattermost:lock:{LANE}")

        with pytest.raises(LaneLostError):
            lock.extend()


def test_waiting_lane_is_due_and_an_empty_or_locked_one_is_not(lanes: Lanes) -> None:
    """The sweep wakes what waits and nobody is at."""
    lanes.append(LANE, _entry("a"))
    later = lanes.now_ms() + 1

    with lanes.locked(LANE):
        while_locked = lanes.due(until_ms=later, limit=10)
    free = lanes.due(until_ms=later, limit=10)
    still_full = lanes.unmark_if_empty(LANE)
    _keys(lanes, LANE)
    emptied = lanes.unmark_if_empty(LANE)

    assert (while_locked, free) == ([], [LANE])
    assert (still_full, emptied) == (False, True)
    assert lanes.due(until_ms=later, limit=10) == []


def test_only_the_first_message_of_a_lane_wakes_a_worker(lanes: Lanes) -> None:
    """What is behind it is sent by the same worker; an emptied lane wakes somebody again."""
    woken = [lanes.append(LANE, _entry(key)) for key in ("a", "b", "c")]
    taken = lanes.take(LANE)
    assert taken is not None
    lanes.advance(taken, taken.heads)

    woken_again = lanes.append(LANE, _entry("d"))

    assert (woken, woken_again) == ([True, False, False], True)


def test_lost_wake_up_is_made_up_for_by_the_next_message(
    lanes: Lanes, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lane that has been waiting for long wakes somebody without any sweep."""
    lanes.append(LANE, _entry("a"))
    monkeypatch.setattr(lanes_module, "OVERDUE_MS", -1)

    assert lanes.append(LANE, _entry("b"))


def test_taken_lane_is_emptied_and_let_go_in_one_step(lanes: Lanes) -> None:
    """The first ones are handed out; removing the last of them lets go, and nothing waits."""
    for number in range(12):
        lanes.append(LANE, _entry(f"{number}"))
    taken = lanes.take(LANE)
    assert taken is not None

    following = lanes.advance(taken, taken.heads)
    locked_meanwhile = lanes.take(LANE)
    last = lanes.advance(taken, following)

    assert [LaneEntry.load(raw).key for raw in taken.heads] == [str(n) for n in range(10)]
    assert [LaneEntry.load(raw).key for raw in following] == ["10", "11"]
    assert (locked_meanwhile, last) == (None, ())
    assert lanes.waiting_of("L1") == []
    with lanes.locked(LANE) as lock:
        assert lock is not None


def test_lane_that_is_left_alone_is_nobodys(lanes: Lanes) -> None:
    """Whoever is woken for it, by a message or twice by the broker, does not get it."""
    lanes.append(LANE, _entry("a"))
    lanes.leave_alone(LANE, seconds=0.2)

    at_once = lanes.take(LANE)
    later = wait_until(lambda: lanes.take(LANE), what="the end of the pause")

    assert at_once is None
    assert [LaneEntry.load(raw).key for raw in later.heads] == ["a"]


def test_worker_that_lost_the_lane_removes_nothing(lanes: Lanes, redis_url: str) -> None:
    """Its lock has run out and another worker has the lane: it is told so."""
    lanes.append(LANE, _entry("a"))
    taken = lanes.take(LANE)
    assert taken is not None
    with Redis.from_url(redis_url) as redis:
        redis.delete(f"ireserve-mattermost:lock:{LANE}")
    other = lanes.take(LANE)

    with pytest.raises(LaneLostError):
        lanes.advance(taken, taken.heads)

    assert other is not None
    assert _keys(lanes, LANE) == ["a"]


@pytest.mark.parametrize("licence_id", ["L1", "a:b", "ü/%", "*", "a?[b]"])
def test_lanes_of_a_licence_are_its_own(lanes: Lanes, licence_id: str) -> None:
    """Whatever characters an id has, it names its own lanes and nobody else's."""
    mine = Lane.of_conversation(licence_id, "c:1")
    lanes.append(mine, _entry("a"))
    lanes.append(Lane.of_conversation(f"{licence_id}x", "c:1"), _entry("a"))

    assert Lane.parse(str(mine)) == mine
    assert lanes.waiting_of(licence_id) == [mine]


def test_message_appended_while_the_lane_is_let_go_is_not_left_behind(stage: Stage) -> None:
    """Many producers and drainers at once: the last message is sent without any sweep."""

    def produce(conversation: int) -> None:
        for number in range(15):
            arguments = {"conversation_id": f"c{conversation}", "message_id": f"{number}"}
            lane = stage.append("reply", **arguments, text=f"{number}", **VISITOR)
            pool.submit(drain, stage.runtime, lane)

    with ThreadPoolExecutor(4) as pool, ThreadPoolExecutor(3) as producers:
        list(producers.map(produce, range(3)))

    assert stage.runtime.lanes.due(until_ms=stage.runtime.lanes.now_ms(), limit=10) == []
    by_root: dict[str, list[str]] = {}
    # In the order of arrival: the stand-in is so quick that two can have the same creation time.
    for post in stage.posts_sent():
        if post.root_id:
            by_root.setdefault(post.root_id, []).append(post.message.splitlines()[-1])
    assert list(by_root.values()) == [[str(number) for number in range(15)]] * 3


def test_licence_has_half_of_the_threads_at_most() -> None:
    """The lanes beyond its share are parked, each once, and taken up by the threads it has."""
    slots = Slots(4)
    first, second, third = (Lane.of_conversation("L1", name) for name in "abc")

    taken = [slots.take(lane) for lane in (first, second, third, third)]
    other = slots.take(Lane.of_conversation("L2", "a"))
    handed_on = [slots.next_or_leave("L1") for _ in range(3)]

    assert taken == [True, True, False, False]
    assert other
    assert handed_on == [third, None, None]
    assert slots.take(first)


def test_single_threaded_worker_still_works() -> None:
    """Half of one thread is one thread."""
    slots = Slots(1)

    assert slots.take(LANE)


def test_stopping_worker_leaves_the_rest_in_its_lane(stage: Stage) -> None:
    """A worker that is asked to stop finishes its message; what follows waits for another."""
    lane = stage.append("reply", conversation_id="c1", message_id="m1", text="x", **VISITOR)
    stage.runtime.stopping.set()

    report = drain(stage.runtime, lane)

    assert str(report) == "nothing to do: another task has it"
    assert stage.runtime.lanes.head(lane) is not None
    assert stage.runtime.lanes.waiting_of("L1") == [lane]
