"""The next message in a thread says once which failed messages the thread lacks."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import update

from ireserve_mattermost.lanes import Lane
from models import Delivery, DeliveryState, Licence
from tasks.attachments.store import AttachmentStore
from tasks.failures import MAY_HAVE_ARRIVED
from tasks.mattermost import Post
from tasks.outbound import missing_messages
from tasks.outbound.job import Attempt, Job
from tasks.outbound.resending import discard_payloads, send_again
from tasks.outbound.settlement import Draft, Place, post_marked
from tasks.privacy.erasure import Places, erase_conversation
from tests.stage.stage import VISITOR, Stage

LANE = Lane.of_conversation("L1", "c1")
ONE = "1 message before this one is missing here"
AGENT = {"sender_name": "Anna", "sender_role": "agent"}


def fail(stage: Stage, message_id: str, fault: str = "plugin_rejection", **more: Any) -> None:
    """Let a message of the conversation fail with a reason."""
    made = stage.stand_in.set_fault(fault, scope="posts", times=1)
    stage.reply(message_id, "lost", **more)
    stage.stand_in.clear_faults(made.id)
    assert stage.states()[f"reply:{message_id}"][0] == "failed"


def told(stage: Stage) -> list[str]:
    """Return each line in the channel about missing messages, without times."""
    lines = "\n".join(post.message for post in stage.channel_posts()).splitlines()
    times = re.compile(r"; \d.*?\)")
    return [times.sub(")", line) for line in lines if line.startswith("⚠️")]


def row_of(stage: Stage, message_id: str) -> Delivery:
    """Return a message's delivery."""
    (row,) = [row for row in stage.ledger() if row.key == f"reply:{message_id}"]
    return row


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("fault", "why"),
    [
        pytest.param("down", "Mattermost could not be reached", id="dead server"),
        pytest.param("error_500", "Mattermost had trouble", id="server error"),
        pytest.param("plugin_rejection", "Mattermost refused to take it", id="refused"),
        pytest.param("html_200", "Mattermost had trouble", id="no Mattermost"),
    ],
)
def test_next_message_says_what_is_missing_and_why_and_the_one_after_does_not(
    stage: Stage, fault: str, why: str
) -> None:
    """The next message has the line below its text, and the one after has none."""
    stage.start()
    fail(stage, "m1", fault)
    stage.reply("m2", "kept")
    stage.reply("m3", "more")

    _, second, third = stage.channel_posts()
    assert second.message.startswith("🙋 **Jan**\nkept\n\n⚠️ ")
    assert third.message == "🙋 **Jan**\nmore"
    assert told(stage) == [f"⚠️ {ONE} (visitor): {why}. It is in i-Reserve."]


@pytest.mark.one_database
def test_root_between_a_missing_and_the_next_message_hides_nothing(stage: Stage) -> None:
    """After a new root, the next message still names the missing one."""
    stage.append("reply", conversation_id="c1", message_id="m1", text="lost", sender_role="boss")
    stage.append("root", conversation_id="c1", visitor_name="Jan")
    lane = stage.append("reply", conversation_id="c1", message_id="m2", text="kept", **VISITOR)

    stage.drain(lane)

    assert [state for state, _ in stage.states().values()] == ["failed", "sent", "sent"]
    assert len(told(stage)) == 1


def test_several_missing_messages_are_one_line_with_kinds_and_reasons(stage: Stage) -> None:
    """Several missing messages are one line with senders, number, times and reasons."""
    stage.start()
    fail(stage, "m1")
    fail(stage, "m2", "error_500")
    fail(stage, "m3", **AGENT)
    fail(stage, "m4", **AGENT, visibility="internal")
    stage.reply("m5", "x" * 500_001)
    stage.reply("m6", "kept")

    (line,) = told(stage)
    assert line == (
        "⚠️ 5 messages before this one are missing here "
        "(3 × visitor, 1 × agent, 1 × internal note): "
        "3 × Mattermost refused to take it, 1 × Mattermost had trouble, "
        "1 × i-Reserve sent something that cannot be shown. They are in i-Reserve."
    )


@pytest.mark.one_database
def test_message_that_fails_before_it_tells_leaves_both_to_the_next(stage: Stage) -> None:
    """If the message with the line fails, the next one names both."""
    stage.start()
    fail(stage, "m1")
    fail(stage, "m2")
    stage.reply("m3", "kept")

    assert told(stage) == [
        "⚠️ 2 messages before this one are missing here (visitor): "
        "Mattermost refused to take it. They are in i-Reserve."
    ]


@pytest.mark.one_database
def test_message_that_fails_after_it_has_told_is_told_alone(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If a message fails after its text was posted with the line, only it is named next."""
    files = [{"name": f"{number}.txt", "path": f"{number}.txt"} for number in range(11)]
    for file in files:
        (stage.store / file["path"]).write_text("x")
    stage.start()
    fail(stage, "m1")

    def refuse_the_second(job: Job, attempt: Attempt, place: Place, draft: Draft) -> Post:
        if attempt.posts:
            stage.stand_in.set_fault("plugin_rejection", scope="posts", times=1)
        return post_marked(job, attempt, place, draft)

    monkeypatch.setattr("tasks.outbound.delivery.post_marked", refuse_the_second)
    stage.reply("m2", "text", attachments=files)
    monkeypatch.undo()
    stage.reply("m3", "kept")

    assert stage.states()["reply:m2"][0] == "failed"
    assert told(stage) == [
        f"⚠️ {ONE} (visitor): Mattermost refused to take it. It is in i-Reserve.",
        "⚠️ 1 message before this one may be missing here, or a part of it (visitor): "
        "Mattermost refused to take it. It is in i-Reserve.",
    ]


@pytest.mark.one_database
def test_failed_root_costs_the_message_and_the_next_one_tells_it(stage: Stage) -> None:
    """A message that failed with its root is named by the next message."""
    fail(stage, "m1")
    stage.reply("m2", "kept")

    assert stage.states()["root:1"] == ("sent", None)
    assert told(stage) == [f"⚠️ {ONE} (visitor): Mattermost refused to take it. It is in i-Reserve."]


@pytest.mark.one_database
@pytest.mark.parametrize("first", ["sent", "waiting"])
def test_missing_message_that_was_sent_again_meanwhile_is_not_told(
    stage: Stage, first: str
) -> None:
    """A failed message that is resent is not named."""
    stage.start()
    fail(stage, "m1")
    if first == "waiting":
        stage.append("reply", conversation_id="c1", message_id="m2", text="kept", **AGENT)
    assert send_again(stage.runtime.database, stage.runtime.lanes, row_of(stage, "m1").id)
    stage.drain(LANE)
    stage.reply("m3", "more")

    assert stage.states()["reply:m1"] == ("sent", None)
    assert told(stage) == []


@pytest.mark.one_database
def test_missing_message_that_was_told_and_fails_again_is_not_told_again(stage: Stage) -> None:
    """A message that was named and fails again is not named again."""
    stage.start()
    fail(stage, "m1")
    stage.reply("m2", "kept")
    stage.stand_in.set_fault("plugin_rejection", scope="posts", times=1)
    send_again(stage.runtime.database, stage.runtime.lanes, row_of(stage, "m1").id)
    stage.drain(LANE)
    stage.reply("m3", "more")

    assert stage.states()["reply:m1"][0] == "failed"
    assert len(told(stage)) == 1


@pytest.mark.one_database
def test_discarded_message_is_missing_all_the_same(stage: Stage) -> None:
    """A discarded message is named as missing."""
    stage.start()
    fail(stage, "m1")
    with stage.runtime.database.transaction() as session:
        discard_payloads(session, "L1", [row_of(stage, "m1").id])
    stage.reply("m2", "kept")

    assert len(told(stage)) == 1


@pytest.mark.one_database
def test_erased_conversation_begins_anew_without_missing_messages(stage: Stage) -> None:
    """After erasure no message counts as missing."""
    stage.start()
    fail(stage, "m1")
    parts = stage.runtime
    store = AttachmentStore(parts.settings.attachments_url)
    places = Places(parts.database, parts.lanes, store, parts.locks)
    erase_conversation(places, LANE)
    stage.reply("m2", "kept")

    assert told(stage) == []


@pytest.mark.one_database
@pytest.mark.parametrize(
    "message",
    [
        pytest.param({"text": "x", "sender_role": "robot", "origin_post_id": "p"}, id="is there"),
        pytest.param({"text": " \u200b", "sender_role": "visitor"}, id="said nothing"),
    ],
)
def test_what_the_thread_does_not_miss_is_not_told(stage: Stage, message: dict[str, Any]) -> None:
    """A failed call without content, or with the team's own reply, is not missing."""
    stage.start()
    stage.reply("m1", **message)
    stage.reply("m2", "kept")

    assert stage.states()["reply:m1"] == ("failed", "invalid_arguments")
    assert told(stage) == []


@pytest.mark.one_database
def test_other_conversations_and_notifications_are_left_alone(stage: Stage) -> None:
    """A message is missing only in its own thread, and a notification in none."""
    stage.start()
    stage.stand_in.set_fault("plugin_rejection", scope="posts", times=1)
    stage.notify(text="lost")
    fail(stage, "m1")
    stage.notify(text="kept")
    stage.reply("m1", "kept", conversation_id="c2")

    assert told(stage) == []


@pytest.mark.one_database
def test_message_that_may_be_there_is_told_in_doubt(stage: Stage) -> None:
    """The line about a message that may have arrived says that this is unknown."""
    stage.start()
    fail(stage, "m1")
    with stage.runtime.database.transaction() as session:
        this = update(Delivery).where(Delivery.key == "reply:m1")
        session.execute(this.values(detail=f"The worker was stopped. {MAY_HAVE_ARRIVED}"))
    stage.reply("m2", "kept")

    assert "may be missing here, or a part of it" in told(stage)[0]


@pytest.mark.one_database
def test_line_is_the_desks(stage: Stage) -> None:
    """The line is in the team's language and time zone."""
    with stage.runtime.database.transaction() as session:
        session.execute(update(Licence).values(language="nl", time_zone="Europe/Amsterdam"))
    stage.start()
    fail(stage, "m1")
    stage.reply("m2", "kept")

    (line,) = told(stage)
    assert line == (
        "⚠️ Vóór dit bericht ontbreekt hier 1 bericht (bezoeker): "
        "Mattermost nam het niet aan. Het staat in i-Reserve."
    )


class KilledError(BaseException):
    """The worker has died."""


@pytest.mark.parametrize("when", ["before its post", "after its post"])
def test_worker_that_dies_as_it_tells_leaves_one_line(
    stage: Stage, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a worker's death there is exactly one line."""
    stage.start()
    fail(stage, "m1")
    kept = missing_messages.claim

    def die_after_the_claim(*arguments: Any) -> None:
        kept(*arguments)
        raise KilledError

    def die(*_: Any, **__: Any) -> None:
        raise KilledError

    with monkeypatch.context() as killing:
        if when == "before its post":
            killing.setattr(missing_messages, "claim", die_after_the_claim)
        else:
            killing.setattr("tasks.outbound.endings.write_sent", die)
        with pytest.raises(KilledError):
            stage.reply("m2", "kept")
    state = row_of(stage, "m2").state
    stage.drain(LANE)
    stage.reply("m3", "more")

    assert state is DeliveryState.SENDING
    assert len(told(stage)) == 1
    assert len(stage.channel_posts()) == 3


@pytest.mark.one_database
def test_post_of_a_worker_that_knew_of_none_missing_leaves_them_to_the_next(stage: Stage) -> None:
    """If a dead older worker posted without the line, the next message has it."""
    stage.start()
    fail(stage, "m1")
    stage.reply("m2", "kept")
    post = stage.channel_posts()[-1]
    mark = {
        name: value
        for name, value in post.props["ireserve"].items()
        if name != missing_messages.MISSING_COUNT
    }
    stage.bot().patch_post(post.id, message="kept", props={**post.props, "ireserve": mark})
    with stage.runtime.database.transaction() as session:
        sending = update(Delivery).where(Delivery.key == "reply:m2")
        session.execute(sending.values(state=DeliveryState.SENDING))
    stage.reply("m2", "kept")
    stage.reply("m3", "more")

    assert len(stage.channel_posts()) == 3
    assert "⚠️" in stage.channel_posts()[-1].message
