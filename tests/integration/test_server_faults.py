"""Under the faults of real Mattermost servers no message is lost, doubled or falsely failed."""

from __future__ import annotations

import pytest

from ireserve_mattermost.lanes import Lane
from tasks.replies.catch_up import collect
from tests.stage.stage import LICENCE, VISITOR, Stage
from tests.waiting import wait_until

LANE = Lane.of_conversation("L1", "c1")


def texts(stage: Stage) -> list[str]:
    """Return the last line of each post in the channel, oldest first, without the first root."""
    return [post.message.splitlines()[-1] for post in stage.channel_posts()[1:]]


def test_message_that_collides_with_another_first_reply_goes_out_once_more(stage: Stage) -> None:
    """After a collision of two first replies, the same attempt posts the message again."""
    stage.start()
    stage.stand_in.set_fault("first_reply_collision", times=1)

    report = stage.reply("m1", "hello")
    stage.reply("m2", "more")

    assert str(report) == "1 sent"
    assert texts(stage) == ["hello", "more"]
    assert len(stage.posts_sent()) == 1 + 2 + 1


def test_collision_that_comes_again_fails_the_message(stage: Stage) -> None:
    """A second collision fails the message."""
    stage.start()
    stage.stand_in.set_fault("first_reply_collision", times=2)

    stage.reply("m1", "hello")

    assert stage.states()["reply:m1"] == ("failed", "server_error")
    assert texts(stage) == []


@pytest.mark.parametrize("made_after_s", [0.0, 0.5], ids=["at once", "a moment later"])
def test_message_that_the_server_is_making_is_sent(stage: Stage, made_after_s: float) -> None:
    """If the server is still making a message's post, we look for it and send no second one."""
    stage.start()
    stage.stand_in.set_fault("being_made", seconds=made_after_s, times=1)

    first = stage.reply("m1", "hello")
    wait_until(lambda: texts(stage) == ["hello"], what="the post that is being made")
    stage.drain(LANE)
    stage.reply("m2", "more")

    assert str(first) in {"1 waiting", "1 sent"}
    assert stage.states()["reply:m1"] == ("sent", None)
    assert texts(stage) == ["hello", "more"]


def test_message_that_the_server_never_makes_fails_at_the_last_look(stage: Stage) -> None:
    """If the server never makes a message's post, the message fails at the third look."""
    stage.start()
    stage.stand_in.set_fault("being_made", seconds=600, times=1)

    stage.reply("m1", "hello")
    states = [stage.states()["reply:m1"]]
    for _ in range(2):
        stage.drain(LANE)
        states.append(stage.states()["reply:m1"])

    assert states == [
        ("unsettled", "being_made"),
        ("unsettled", "server_error"),
        ("failed", "server_error"),
    ]
    assert len(stage.posts_sent()) == 1 + 1


def test_message_behind_one_that_is_being_made_waits_for_it(stage: Stage) -> None:
    """A later message waits until an earlier one is settled."""
    stage.start()
    stage.stand_in.set_fault("being_made", seconds=0.5, times=1)
    stage.reply("m1", "first")

    stage.append("reply", conversation_id="c1", message_id="m2", text="second",
                 sender_name="Jan", sender_role="visitor")  # fmt: skip
    wait_until(lambda: texts(stage) == ["first"], what="the first message")
    stage.drain(LANE)

    assert texts(stage) == ["first", "second"]


def test_notification_over_the_servers_limit_is_cut_with_a_note(stage: Stage) -> None:
    """A notification over the request limit is cut, and says how many fields are missing."""
    fields = [[f"{number}", "é" * 16_000] for number in range(50)]

    report = stage.notify(fields=fields)

    [post] = stage.channel_posts()
    *shown, last = post.props["attachments"][0]["fields"]
    assert str(report) == "1 sent"
    assert last["value"] == f"… ({50 - len(shown)} more fields)"


def _file(stage: Stage) -> dict[str, str]:
    (stage.store / "plan.txt").write_bytes(b"the plan")
    return {"name": "plan.txt", "path": "plan.txt"}


def last_lines_under(stage: Stage, root_post_id: str | None) -> list[str]:
    """Return the last line of each reply under the root that is not deleted, oldest first."""
    return [
        post.message.splitlines()[-1]
        for post in stage.channel_posts()
        if root_post_id and post.root_id == root_post_id
    ]


def test_message_under_a_deleted_root_goes_to_the_new_thread_with_the_next(stage: Stage) -> None:
    """A message posted while its root was deleted goes to the new thread with the next message."""
    stage.start()
    stage.reply("m1", "before")
    stage.stand_in.set_fault("under_deleted_root", times=1)
    stage.reply("m2", "crossed", attachments=[_file(stage)])
    orphan = stage.channel_posts()[-1]

    stage.reply("m3", "after")

    root_post_id = stage.conversation().root_post_id
    moved = stage.channel_posts()[1]
    row = next(row for row in stage.ledger() if row.key == "reply:m2")
    assert root_post_id != orphan.root_id
    assert last_lines_under(stage, root_post_id) == ["crossed", "after"]
    assert [file.name for file in moved.files] == ["plan.txt"]
    assert (row.state.value, row.post_id) == ("sent", moved.id)
    assert last_lines_under(stage, orphan.root_id) == []


def test_message_under_a_deleted_root_is_found_within_one_burst(stage: Stage) -> None:
    """A message under a deleted root is also found in the batch that sent it."""
    stage.start()
    lane = None
    stage.stand_in.set_fault("under_deleted_root", times=1)
    for number in range(4):
        lane = stage.append(
            "reply", conversation_id="c1", message_id=f"m{number}", text=f"t{number}", **VISITOR
        )

    assert lane is not None
    stage.drain(lane)

    assert last_lines_under(stage, stage.conversation().root_post_id) == ["t0", "t1", "t2", "t3"]


def test_message_under_a_deleted_root_is_found_by_catch_up(stage: Stage) -> None:
    """Without a next message, catch-up notices the deleted root, and a new thread is made."""
    stage.start()
    stage.stand_in.set_fault("under_deleted_root", times=1)
    stage.reply("m1", "crossed")

    collect(stage.runtime, LICENCE, on_page=lambda: None)
    stage.drain(LANE)
    collect(stage.runtime, LICENCE, on_page=lambda: None)
    report = stage.drain(LANE)

    assert last_lines_under(stage, stage.conversation().root_post_id) == ["crossed"]
    assert str(report) == "nothing to do: another task has it"
    assert len(stage.channel_posts()) == 2


def test_deleted_root_without_a_crossed_message_begins_nothing(stage: Stage) -> None:
    """A deleted root starts no new thread if no message was posted under it afterwards."""
    stage.start()
    stage.reply("m1", "before")
    stage.bot().delete_post(stage.channel_posts()[0].id)

    collect(stage.runtime, LICENCE, on_page=lambda: None)
    stage.drain(LANE)

    assert stage.channel_posts() == []


def test_crossed_message_that_cannot_be_moved_does_not_hold_up_the_next(stage: Stage) -> None:
    """If a message under a deleted root cannot be moved, the next message is still sent."""
    stage.start()
    stage.stand_in.set_fault("under_deleted_root", times=1)
    stage.reply("m1", "crossed", attachments=[_file(stage)])
    stage.stand_in.set_fault("error_500", scope="files")

    stage.reply("m2", "after")

    assert stage.states()["reply:m2"] == ("sent", None)
    assert last_lines_under(stage, stage.conversation().root_post_id) == ["after"]


@pytest.mark.parametrize("caches", ["without members", "cold"])
def test_refusals_of_a_server_without_its_database_fail_no_message(
    stage: Stage, caches: str
) -> None:
    """If a server without its database refuses a message or to look for it, the message waits."""
    stage.start()
    stage.stand_in.set_fault("database_away", caches=caches)

    reports = [str(stage.reply("m1", "hello")), str(stage.drain(LANE)), str(stage.drain(LANE))]
    stage.stand_in.clear_faults()
    stage.runtime.circuits.close("L1")
    sent = stage.drain(LANE)

    assert (reports, str(sent)) == (["1 waiting"] * 3, "1 sent")
    assert texts(stage) == ["hello"]
