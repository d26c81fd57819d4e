"""When an answer is lost or a worker dies, no message is posted twice or given up too early."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from ireserve_mattermost.lanes import PREFIX, Lane, LaneEntry
from models import DeliveryState
from tasks.mattermost import MattermostClient
from tasks.outbound import ledger, message_clock
from tasks.outbound.marks import Mark
from tests.stage.stage import VISITOR, Stage
from tests.waiting import wait_until


def _begin_like_a_worker_that_dies(stage: Stage, lane: Lane, kind: str, key: str) -> None:
    with stage.runtime.database.connection() as connection:
        entry = LaneEntry(kind, key, "dead", {}, round(time.time() * 1_000))
        ledger.begin(connection, lane, [entry])


@pytest.fixture
def timeout_s() -> float:
    """A read timeout shorter than the server's delays here."""
    return 1.0


@pytest.mark.parametrize("fault", ["accept_then_drop", "accept_then_late"])
def test_accepted_post_whose_answer_is_lost_counts_as_sent(stage: Stage, fault: str) -> None:
    """A post that the server made counts as sent, though its answer was lost."""
    stage.start()
    stage.stand_in.set_fault(fault, scope="posts", times=1, seconds=1.5)

    stage.reply("m1", "hello")
    stage.reply("m2", "more")

    assert [post.message.splitlines()[1] for post in stage.channel_posts()[1:]] == [
        "hello",
        "more",
    ]
    assert stage.states()["reply:m1"] == ("sent", None)


def test_accepted_root_whose_answer_is_lost_is_linked(stage: Stage) -> None:
    """A root post whose answer was lost is found in the channel, and no second one is made."""
    stage.stand_in.set_fault("accept_then_drop", scope="posts", times=1)

    stage.start()
    stage.reply("m1", "hello")

    root, reply = stage.channel_posts()
    assert reply.root_id == root.id


def test_accepted_notification_whose_answer_is_lost_is_not_doubled(stage: Stage) -> None:
    """A notification whose answer was lost is found in its channel and not doubled."""
    stage.stand_in.set_fault("accept_then_drop", scope="posts", times=1)

    report = stage.notify()

    assert str(report) == "1 sent"
    assert len(stage.channel_posts()) == 1


def test_post_that_was_not_accepted_is_failed_and_not_tried_again(stage: Stage) -> None:
    """If the connection was cut and the post is not there, the message has failed."""
    stage.start()
    stage.stand_in.set_fault("down", scope="posts", times=1)

    stage.reply("m1", "lost")

    assert stage.states()["reply:m1"] == ("failed", "connection_cut")
    assert len(stage.channel_posts()) == 1


def test_timeout_is_looked_at_twice_before_it_counts_as_failed(stage: Stage) -> None:
    """After a timeout the post is looked for twice, so that a slow save is found."""
    stage.start()
    stage.stand_in.set_fault("slow_save", scope="posts", times=1, seconds=2.0)

    first = stage.reply("m1", "slow")
    lane = Lane.of_conversation("L1", "c1")
    settled_meanwhile = stage.states()["reply:m1"]
    _wait_for_posts(stage, 2)
    second = stage.drain(lane)

    assert str(first) == "1 waiting"
    assert settled_meanwhile == ("unsettled", "timeout")
    assert str(second) == "1 sent"
    assert len(stage.channel_posts()) == 2


def _wait_for_posts(stage: Stage, count: int) -> None:
    wait_until(lambda: len(stage.channel_posts()) == count, what=f"{count} posts")


def test_timeout_that_led_to_nothing_fails_at_the_second_look(stage: Stage) -> None:
    """If the second look does not find the post, the message fails and the lane goes on."""
    stage.start()
    fault = stage.stand_in.set_fault("slow", scope="posts", seconds=30)
    stage.reply("m1", "lost")
    stage.stand_in.clear_faults(fault.id)

    stage.reply("m2", "kept")

    assert stage.states()["reply:m1"] == ("failed", "timeout")
    assert stage.states()["reply:m2"] == ("sent", None)


def test_unsettled_message_waits_while_the_server_cannot_be_asked(stage: Stage) -> None:
    """An unsettled message and those behind it wait until the server answers."""
    stage.start()
    stage.stand_in.set_fault("accept_then_late", scope="posts", times=1, seconds=2.0)

    with ThreadPoolExecutor() as pool:
        first = pool.submit(stage.reply, "m1", "hello")
        wait_until(lambda: stage.posts_sent()[-1].message.endswith("hello"), what="the post")
        # The post was made, but every later request fails.
        down = stage.stand_in.set_fault("down")
        first.result()
    waiting = stage.states()["reply:m1"]
    stage.reply("m2", "more")
    stage.stand_in.clear_faults(down.id)
    stage.drain(Lane.of_conversation("L1", "c1"))

    assert waiting[0] == "unsettled"
    assert stage.states()["reply:m1"] == ("sent", None)
    assert stage.states()["reply:m2"] == ("sent", None)
    assert len(stage.channel_posts()) == 3


def test_dead_workers_post_is_found_and_not_sent_again(stage: Stage) -> None:
    """A dead worker's post in the thread is settled as sent."""
    stage.start()
    stage.reply("m1", "hello")
    lane = stage.append("reply", conversation_id="c1", message_id="m1", text="hello", **VISITOR)
    row = next(row for row in stage.ledger() if row.key == "reply:m1")
    with stage.runtime.database.connection() as connection:
        ledger.set_aside(
            connection, row.id, state=DeliveryState.SENDING, reason="", detail="", post_count=0
        )

    report = stage.drain(lane)

    assert str(report) == "1 sent"
    assert len(stage.channel_posts()) == 2


def test_dead_workers_message_that_was_not_sent_is_sent(stage: Stage) -> None:
    """A dead worker's message without a post is sent."""
    stage.start()
    lane = stage.append("reply", conversation_id="c1", message_id="m1", text="hello", **VISITOR)
    _begin_like_a_worker_that_dies(stage, lane, "reply", "reply:m1")

    report = stage.drain(lane)

    assert str(report) == "1 sent"
    assert len(stage.channel_posts()) == 2


def test_dead_workers_root_is_found_and_linked(stage: Stage) -> None:
    """A dead worker's root post is found by its key and linked."""
    stage.start()
    root = stage.channel_posts()[0]
    with stage.runtime.database.transaction() as session:
        conversation = session.merge(stage.conversation())
        conversation.root_post_id = None
    row = stage.ledger()[0]
    with stage.runtime.database.connection() as connection:
        ledger.set_aside(
            connection, row.id, state=DeliveryState.SENDING, reason="", detail="", post_count=0
        )

    stage.reply("m1", "hello")

    assert stage.conversation().root_post_id == root.id
    assert len(stage.channel_posts()) == 2


def test_member_post_with_the_same_key_is_not_taken_for_ours(stage: Stage) -> None:
    """Only the bot's own posts count, since a member can copy a post's props."""
    stage.start()
    lane = stage.append("reply", conversation_id="c1", message_id="m1", text="hello", **VISITOR)
    _begin_like_a_worker_that_dies(stage, lane, "reply", "reply:m1")
    root = stage.channel_posts()[0]
    MattermostClient(stage.stand_in.url, stage.user_token).create_post(
        channel_id=stage.channel_id,
        root_id=root.id,
        message="forged",
        props=Mark.of(lane, "reply:m1").props("1"),
    )

    stage.drain(lane)

    assert [post.message.splitlines()[-1] for post in stage.channel_posts()[1:]] == [
        "forged",
        "hello",
    ]


def test_long_message_that_broke_off_in_the_middle_is_continued(stage: Stage) -> None:
    """If a worker dies after the first of three parts, the other two are posted."""
    # Otherwise the server would take the new posts for the deleted ones, for 30 s.
    stage.stand_in.set_options(PendingPostTtlS=0.0)
    stage.start()
    text = "\n".join(f"line {number} " + "x" * 90 for number in range(400))
    lane = stage.append("reply", conversation_id="c1", message_id="m1", text=text, **VISITOR)
    stage.drain(lane)
    whole = [post.message for post in stage.channel_posts()[1:]]
    for post in stage.channel_posts()[2:]:
        stage.bot().delete_post(post.id)
    row = next(row for row in stage.ledger() if row.key == "reply:m1")
    with stage.runtime.database.connection() as connection:
        ledger.set_aside(
            connection, row.id, state=DeliveryState.SENDING, reason="", detail="", post_count=0
        )

    stage.append("reply", conversation_id="c1", message_id="m1", text=text, **VISITOR)
    stage.drain(lane)

    assert len(whole) == 3
    assert [post.message for post in stage.channel_posts()[1:]] == whole


def test_worker_that_stood_still_before_it_sent_leaves_the_message_to_the_next(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that was suspended for too long sends nothing, and the next worker sends."""
    stage.start()
    with monkeypatch.context() as patch:
        patch.setattr(message_clock, "SEND_WITHIN_S", -1.0)
        stage.reply("m1", "hello")
    sent_meanwhile = len(stage.channel_posts())
    # The worker's lock expires.
    lane = Lane.of_conversation("L1", "c1")
    stage.runtime.redis.delete(f"{PREFIX}lock:{lane}")

    stage.drain(lane)

    assert sent_meanwhile == 1
    assert stage.states()["reply:m1"] == ("sent", None)
    assert len(stage.channel_posts()) == 2
