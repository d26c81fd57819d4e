"""The metrics of messages to Mattermost: how they ended, how long they took, and what waits."""

from __future__ import annotations

from itertools import product

from ireserve_mattermost.lanes import Lane
from models import DeliveryKind
from tests.stage.scraper import Scraper
from tests.stage.stage import LICENCE, VISITOR, Stage, drain


def test_messages_are_counted_by_how_they_ended(stage: Stage, scraper: Scraper) -> None:
    """Messages are counted by kind and state, and the series for alerts begin with 0."""
    stage.start()
    stage.reply("m1", "sent")
    stage.reply("m2", "sent")
    stage.reply("m3", "skipped", origin_post_id="p" * 26)
    stage.stand_in.set_fault("plugin_rejection", scope="posts", times=1)
    stage.reply("m4", "fails")

    names = product(DeliveryKind, (LICENCE, ""), ("failed", "sent"))
    expected: dict[tuple[str, ...], float] = {
        (kind.value, licence, state): 0.0
        for kind, licence, state in names
        if state == "failed" or kind.is_message
    }
    expected |= {
        ("reply", LICENCE, "failed"): 1,
        ("reply", LICENCE, "sent"): 2,
        ("reply", LICENCE, "skipped"): 1,
        ("root", LICENCE, "sent"): 1,
    }
    assert scraper.read("messages_total") == expected


def test_arguments_that_a_worker_does_not_know_are_counted(stage: Stage, scraper: Scraper) -> None:
    """Unknown arguments of a newer host are counted, and its messages are sent."""
    stage.start(mood="good")
    stage.reply("m1", "sent", attachments=[{"name": "a", "path": "a", "size": 3}])
    stage.reply("m2", "sent")

    assert scraper.read("unknown_arguments_total") == {
        ("reply", LICENCE): 1,
        ("root", LICENCE): 1,
    }
    assert stage.states()["reply:m1"] == ("sent", None)


def test_message_is_counted_once_however_often_it_comes(stage: Stage, scraper: Scraper) -> None:
    """A message counts once, also if it is enqueued twice or its entry is removed twice."""
    stage.start()
    lane = stage.append("reply", conversation_id="c1", message_id="m1", text="once", **VISITOR)
    lanes = stage.runtime.lanes
    gone = lanes.head(lane) or b""
    drain(stage.runtime, lane)
    stage.reply("m1", "once")
    stage.append("reply", conversation_id="c1", message_id="m2", text="behind it", **VISITOR)
    taken = lanes.take(LICENCE, wake_id="w")
    assert taken is not None
    lanes.advance(taken, [gone], {f"{LICENCE}:message:reply:sent": 1})

    counted = scraper.read("messages_total")

    assert counted["reply", LICENCE, "sent"] == 1


def test_delay_is_a_histogram_of_what_was_sent(stage: Stage, scraper: Scraper) -> None:
    """The histogram of delays counts sent messages, without failed messages."""
    stage.start()
    stage.reply("m1", "sent")
    stage.stand_in.set_fault("plugin_rejection", scope="posts", times=1)
    stage.reply("m2", "fails")

    buckets = list(scraper.read("delay_seconds_bucket").values())
    count = scraper.read("delay_seconds_count")
    total_s = scraper.read("delay_seconds_sum")

    assert buckets == sorted(buckets)
    assert (buckets[-1], count) == (2, {(LICENCE,): 2})
    assert 0 < total_s[LICENCE,] < 60


def test_backlog_is_what_waits_now_and_since_when(stage: Stage, scraper: Scraper) -> None:
    """The metrics show how many messages wait, and how old the oldest one is."""
    empty = scraper.read("messages_waiting"), scraper.read("oldest_waiting_seconds")
    stage.append("reply", conversation_id="c1", message_id="m1")
    stage.append("reply", conversation_id="c1", message_id="m2")
    stage.append("notification", notification_type="booking", text="waits")

    assert empty == ({("",): 0, (LICENCE,): 0}, {("",): 0, (LICENCE,): 0})
    assert scraper.read("messages_waiting") == {("",): 0, (LICENCE,): 3}
    assert 0 < scraper.read("oldest_waiting_seconds")[LICENCE,] < 60


def test_licences_that_are_not_registered_are_one(stage: Stage, scraper: Scraper) -> None:
    """All unregistered licences share one time series."""
    for number in range(3):
        lane = stage.append(
            "root", licence_id=f"typo-{number}", conversation_id="c1", visitor_name="Jan"
        )
        if number:
            drain(stage.runtime, lane)

    assert scraper.read("messages_total")["root", "", "failed"] == 2
    assert scraper.read("messages_waiting") == {("",): 1, (LICENCE,): 0}


def test_lane_that_cannot_be_read_still_counts(stage: Stage, scraper: Scraper) -> None:
    """An unreadable entry counts as waiting; at the head of its lane it hides the lane's age."""
    lane = Lane.of_conversation(LICENCE, "c1")
    stage.append("reply", conversation_id="c1", message_id="m1")
    scraper.redis.lpush(f"ireserve-mattermost:lane:{lane}", "nonsense")

    assert scraper.read("messages_waiting")[LICENCE,] == 2
    assert scraper.read("oldest_waiting_seconds")[LICENCE,] == 0
