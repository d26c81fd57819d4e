"""A conversation becomes one thread, and gets a new thread if the root post is deleted."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.stage.stage import Stage


def test_conversation_becomes_one_thread_in_order(stage: Stage) -> None:
    """A start and two messages become a root post and two replies, in order."""
    stage.start(page_url="https://example.com/a")
    stage.reply("m1", "hello")
    stage.reply("m2", "again", sender_role="agent", sender_name="Anna")

    root, first, second = stage.channel_posts()

    assert "c1" in root.message
    assert "Jan" in root.message
    assert root.root_id == ""
    assert (first.root_id, second.root_id) == (root.id, root.id)
    assert "hello" in first.message
    assert "again" in second.message
    assert "Anna" in second.message
    assert stage.conversation().root_post_id == root.id


def test_same_message_is_posted_once(stage: Stage) -> None:
    """A second message with the same id posts nothing."""
    stage.start()
    stage.reply("m1", "hello")
    report = stage.reply("m1", "hello")

    assert str(report) == "1 known already"
    assert len(stage.posts_sent()) == 2


def test_second_start_makes_no_second_root(stage: Stage) -> None:
    """A conversation has one root post, however often it starts."""
    stage.start()
    stage.start()

    assert len(stage.channel_posts()) == 1


def test_reply_without_thread_makes_the_root_first(stage: Stage) -> None:
    """A message without a thread makes the root post first."""
    stage.reply("m1", "hello")

    root, reply = stage.channel_posts()

    assert "c1" in root.message
    assert reply.root_id == root.id
    assert stage.states() == {"reply:m1": ("sent", None), "root:1": ("sent", None)}


def test_start_after_the_thread_exists_posts_nothing(stage: Stage) -> None:
    """A start after the first message makes no second root."""
    stage.reply("m1", "hello")
    stage.start()

    assert len(stage.channel_posts()) == 2


def test_message_from_mattermost_is_not_posted_back(stage: Stage) -> None:
    """A message with origin_post_id is not posted, and its row has the reason."""
    stage.start()
    stage.reply("m1", "hello", origin_post_id="a" * 26)

    assert len(stage.posts_sent()) == 1
    assert stage.states()["reply:m1"] == ("skipped", "from_mattermost")


def test_deleted_root_is_replaced_and_the_message_posted_under_the_new_one(stage: Stage) -> None:
    """After the root's deletion the next message is posted under a new root."""
    stage.start(page_url="https://example.com/a")
    stage.reply("m1", "before")
    old_root = stage.channel_posts()[0]
    stage.bot().delete_post(old_root.id)

    stage.reply("m2", "after")
    stage.reply("m3", "more")

    new_root, after, more = stage.channel_posts()
    assert new_root.id != old_root.id
    assert "example.com" in new_root.message
    assert "continues" in new_root.message.lower()
    assert (after.root_id, more.root_id) == (new_root.id, new_root.id)
    assert "after" in after.message
    assert stage.states()["root:2"] == ("sent", None)


def test_transient_refusal_of_a_healthy_root_makes_no_new_thread(stage: Stage) -> None:
    """A single refusal of the root fails the message, and the conversation keeps its thread."""
    stage.start()
    root = stage.channel_posts()[0]
    stage.stand_in.set_fault("root_rejected", scope="posts", times=1)

    stage.reply("m1", "lost")
    stage.reply("m2", "kept")

    assert stage.states()["reply:m1"] == ("failed", "root_rejected")
    assert stage.states()["reply:m2"] == ("sent", None)
    assert stage.conversation().root_post_id == root.id


def test_message_that_comes_late_says_when_it_was_sent(stage: Stage) -> None:
    """A late message shows the time at which it was sent, and a message in time shows none."""
    stage.start()
    stage.reply("m1", "late", sent_at="2026-01-02T03:04:05+01:00")
    stage.reply("m2", "in time", sent_at=datetime.now(UTC).isoformat())

    late, in_time = stage.channel_posts()[1:]

    assert "2 Jan 2026 02:04 UTC" in late.message.splitlines()[0]
    assert in_time.message.splitlines()[0] == "🙋 **Jan**"


def test_payload_is_kept_for_a_failed_message_alone(stage: Stage) -> None:
    """The ledger keeps the payload only of a failed message."""
    stage.start()
    stage.stand_in.set_fault("plugin_rejection", scope="posts", times=1)
    stage.reply("m1", "refused")
    stage.reply("m2", "taken")

    payloads = {row.key: row.payload for row in stage.ledger()}

    assert payloads["reply:m1"] == {
        "licence_id": "L1",
        "conversation_id": "c1",
        "message_id": "m1",
        "text": "refused",
        "sender_name": "Jan",
        "sender_role": "visitor",
    }
    assert payloads["reply:m2"] is None


def test_failed_root_is_made_by_the_next_message(stage: Stage) -> None:
    """If the start fails, the first message makes the root and is posted under it."""
    stage.stand_in.set_fault("plugin_rejection", scope="posts", times=1)
    stage.start()
    stage.reply("m1", "hello")

    root, reply = stage.channel_posts()

    assert reply.root_id == root.id
    assert stage.states() == {"root:1": ("sent", None), "reply:m1": ("sent", None)}


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        pytest.param("unauthorized", "token_rejected", id="token rejected"),
        pytest.param("error_500", "server_error", id="server error"),
        pytest.param("html_200", "not_mattermost", id="HTML instead of JSON"),
        pytest.param("html_502", "server_error", id="proxy without a server"),
        pytest.param("plugin_rejection", "rejected_by_plugin", id="plugin"),
        pytest.param("down", "connection_cut", id="connection cut"),
    ],
)
def test_failure_is_recorded_with_its_reason_and_the_conversation_goes_on(
    stage: Stage, fault: str, reason: str
) -> None:
    """A failed message is kept with its reason, not retried, and blocks no other."""
    stage.start()
    stage.stand_in.set_fault(fault, scope="posts", times=1)
    report = stage.reply("m1", "lost")
    sent_before = len(stage.posts_sent())
    stage.reply("m2", "kept")

    assert [settled.reason for _, settled in report.failed] == [reason]
    assert stage.states()["reply:m1"] == ("failed", reason)
    assert stage.states()["reply:m2"] == ("sent", None)
    assert len(stage.posts_sent()) == sent_before + 1
