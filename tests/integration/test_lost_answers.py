"""The answer is lost, or a worker dies: nothing is posted twice, nothing is given up too early."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from models import DeliveryState
from tasks.lanes import Lane, LaneEntry
from tasks.mattermost import MattermostClient
from tasks.outbound import ledger
from tasks.outbound.marks import Mark
from tests.integration.conftest import Office
from tests.waiting import wait_until

_VISITOR = {"sender_name": "Jan", "sender_role": "visitor"}


def _begin_like_a_worker_that_dies(office: Office, lane: Lane, kind: str, key: str) -> None:
    with office.runtime.database.connection() as connection:
        entry = LaneEntry(kind, key, "dead", {}, office.runtime.lanes.now_ms())
        ledger.begin(connection, lane, [entry])


@pytest.mark.parametrize("fault", ["accept_then_drop", "accept_then_late"])
def test_accepted_post_whose_answer_is_lost_counts_as_sent(office: Office, fault: str) -> None:
    """The server took the post and then cut the connection, or answered too late."""
    office.start()
    office.stand_in.set_fault(fault, scope="posts", times=1, seconds=1.5)

    office.reply("m1", "hello")
    office.reply("m2", "more")

    assert [post.message.splitlines()[1] for post in office.channel_posts()[1:]] == [
        "hello",
        "more",
    ]
    assert office.states()["reply:m1"] == ("sent", None)


def test_accepted_root_whose_answer_is_lost_is_linked(office: Office) -> None:
    """The root post is found in the channel; no second one is made."""
    office.stand_in.set_fault("accept_then_drop", scope="posts", times=1)

    office.start()
    office.reply("m1", "hello")

    root, reply = office.channel_posts()
    assert reply.root_id == root.id


def test_accepted_notification_whose_answer_is_lost_is_not_doubled(office: Office) -> None:
    """The notification is found in its channel."""
    office.stand_in.set_fault("accept_then_drop", scope="posts", times=1)

    report = office.notify()

    assert str(report) == "1 sent"
    assert len(office.channel_posts()) == 1


def test_post_that_was_not_accepted_is_failed_and_not_tried_again(office: Office) -> None:
    """The connection was cut before the post was taken: it is not there, so it has failed."""
    office.start()
    office.stand_in.set_fault("down", scope="posts", times=1)

    office.reply("m1", "lost")

    assert office.states()["reply:m1"] == ("failed", "connection_cut")
    assert len(office.channel_posts()) == 1


def test_timeout_is_looked_at_twice_before_it_counts_as_failed(office: Office) -> None:
    """A server that is slow to save may still post it; the second look finds it."""
    office.start()
    office.stand_in.set_fault("slow_save", scope="posts", times=1, seconds=2.0)

    first = office.reply("m1", "slow")
    lane = Lane.of_conversation("L1", "c1")
    settled_meanwhile = office.states()["reply:m1"]
    _wait_for_posts(office, 2)
    second = office.drain(lane)

    assert str(first) == "1 waiting"
    assert settled_meanwhile == ("unsettled", "timeout")
    assert str(second) == "1 sent"
    assert len(office.channel_posts()) == 2


def _wait_for_posts(office: Office, count: int) -> None:
    wait_until(lambda: len(office.channel_posts()) == count, what=f"{count} posts")


def test_timeout_that_led_to_nothing_fails_at_the_second_look(office: Office) -> None:
    """When the post is still not there the message has failed, and the lane goes on."""
    office.start()
    fault = office.stand_in.set_fault("slow", scope="posts", seconds=30)
    office.reply("m1", "lost")
    office.stand_in.clear_faults(fault.id)

    office.reply("m2", "kept")

    assert office.states()["reply:m1"] == ("failed", "timeout")
    assert office.states()["reply:m2"] == ("sent", None)


def test_unsettled_message_waits_while_the_server_cannot_be_asked(office: Office) -> None:
    """Nothing is decided, and nothing behind it is sent, until the server answers again."""
    office.start()
    office.stand_in.set_fault("accept_then_late", scope="posts", times=1, seconds=2.0)

    with ThreadPoolExecutor() as pool:
        first = pool.submit(office.reply, "m1", "hello")
        wait_until(lambda: office.posts_sent()[-1].message.endswith("hello"), what="the post")
        # The post is in; every question after it meets a dead server.
        down = office.stand_in.set_fault("down")
        first.result()
    waiting = office.states()["reply:m1"]
    office.reply("m2", "more")
    office.stand_in.clear_faults(down.id)
    office.drain(Lane.of_conversation("L1", "c1"))

    assert waiting[0] == "unsettled"
    assert office.states()["reply:m1"] == ("sent", None)
    assert office.states()["reply:m2"] == ("sent", None)
    assert len(office.channel_posts()) == 3


def test_dead_workers_post_is_found_and_not_sent_again(office: Office) -> None:
    """A row in `sending` whose post is in the thread is settled as sent."""
    office.start()
    office.reply("m1", "hello")
    lane = office.append("reply", conversation_id="c1", message_id="m1", text="hello", **_VISITOR)
    row = next(row for row in office.ledger() if row.key == "reply:m1")
    with office.runtime.database.connection() as connection:
        ledger.set_aside(
            connection, row.id, state=DeliveryState.SENDING, reason="", detail="", post_count=0
        )

    report = office.drain(lane)

    assert str(report) == "1 sent"
    assert len(office.channel_posts()) == 2


def test_dead_workers_message_that_was_not_sent_is_sent(office: Office) -> None:
    """A row in `sending` whose post is not in the thread is sent now."""
    office.start()
    lane = office.append("reply", conversation_id="c1", message_id="m1", text="hello", **_VISITOR)
    _begin_like_a_worker_that_dies(office, lane, "reply", "reply:m1")

    report = office.drain(lane)

    assert str(report) == "1 sent"
    assert len(office.channel_posts()) == 2


def test_dead_workers_root_is_found_and_linked(office: Office) -> None:
    """A root post whose worker died before it could store the link is found by its key."""
    office.start()
    root = office.channel_posts()[0]
    with office.runtime.database.transaction() as session:
        conversation = session.merge(office.conversation())
        conversation.root_post_id = None
    row = office.ledger()[0]
    with office.runtime.database.connection() as connection:
        ledger.set_aside(
            connection, row.id, state=DeliveryState.SENDING, reason="", detail="", post_count=0
        )

    office.reply("m1", "hello")

    assert office.conversation().root_post_id == root.id
    assert len(office.channel_posts()) == 2


def test_somebody_elses_post_with_the_same_key_is_not_taken_for_ours(office: Office) -> None:
    """A team member can copy a post's props; only the bot's own posts count."""
    office.start()
    lane = office.append("reply", conversation_id="c1", message_id="m1", text="hello", **_VISITOR)
    _begin_like_a_worker_that_dies(office, lane, "reply", "reply:m1")
    root = office.channel_posts()[0]
    MattermostClient(office.stand_in.url, office.user_token).create_post(
        channel_id=office.channel_id,
        root_id=root.id,
        message="forged",
        props=Mark.of(lane, "reply:m1").props("1"),
    )

    office.drain(lane)

    assert [post.message.splitlines()[-1] for post in office.channel_posts()[1:]] == [
        "forged",
        "hello",
    ]


def test_long_message_that_broke_off_in_the_middle_is_continued(office: Office) -> None:
    """Of a text in three posts the first is there when the worker dies: two more are posted."""
    # Otherwise the server would remember the posts that are deleted below, for 30 s.
    office.stand_in.set_options(PendingPostTtlS=0.0)
    office.start()
    text = "\n".join(f"line {number} " + "x" * 90 for number in range(400))
    lane = office.append("reply", conversation_id="c1", message_id="m1", text=text, **_VISITOR)
    office.drain(lane)
    whole = [post.message for post in office.channel_posts()[1:]]
    for post in office.channel_posts()[2:]:
        office.bot().delete_post(post.id)
    row = next(row for row in office.ledger() if row.key == "reply:m1")
    with office.runtime.database.connection() as connection:
        ledger.set_aside(
            connection, row.id, state=DeliveryState.SENDING, reason="", detail="", post_count=0
        )

    office.append("reply", conversation_id="c1", message_id="m1", text=text, **_VISITOR)
    office.drain(lane)

    assert len(whole) == 3
    assert [post.message for post in office.channel_posts()[1:]] == whole
