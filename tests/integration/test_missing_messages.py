"""The next message in a thread says once which failed messages the thread lacks."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from models import Delivery, DeliveryState
from tasks.mattermost import Post
from tasks.outbound import missing_messages
from tasks.outbound.job import Attempt, Job
from tasks.outbound.resending import send_again
from tasks.outbound.settlement import Draft, Place, post_marked
from tests.stage.missing_messages import LANE, fail, row_of, told
from tests.stage.stage import VISITOR, Stage

ONE = "1 message before this one is missing here"


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
    """The next message names the missing one below its text, and the message after it does not."""
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
    """After a new root, the next message still names the missing message."""
    stage.append("reply", conversation_id="c1", message_id="m1", text="lost", sender_role="boss")
    stage.append("root", conversation_id="c1", visitor_name="Jan")
    lane = stage.append("reply", conversation_id="c1", message_id="m2", text="kept", **VISITOR)

    stage.drain(lane)

    assert [state for state, _ in stage.states().values()] == ["failed", "sent", "sent"]
    assert len(told(stage)) == 1


@pytest.mark.one_database
def test_message_that_fails_before_it_tells_leaves_both_to_the_next(stage: Stage) -> None:
    """If the message that names a missing message fails, the next message names both."""
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
    """If a message fails after its text and the line were posted, only it is named next."""
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
    """The next message names a message that failed because its root failed."""
    fail(stage, "m1")
    stage.reply("m2", "kept")

    assert stage.states()["root:1"] == ("sent", None)
    assert told(stage) == [f"⚠️ {ONE} (visitor): Mattermost refused to take it. It is in i-Reserve."]


@pytest.mark.one_database
def test_missing_message_that_was_told_and_fails_again_is_not_told_again(stage: Stage) -> None:
    """A message that was named, resent and failed again is not named again."""
    stage.start()
    fail(stage, "m1")
    stage.reply("m2", "kept")
    stage.stand_in.set_fault("plugin_rejection", scope="posts", times=1)
    send_again(stage.runtime.database, stage.runtime.lanes, row_of(stage, "m1").id)
    stage.drain(LANE)
    stage.reply("m3", "more")

    assert stage.states()["reply:m1"][0] == "failed"
    assert len(told(stage)) == 1


class KilledError(BaseException):
    """The worker has died."""


@pytest.mark.parametrize("when", ["before its post", "after its post"])
def test_worker_that_dies_as_it_tells_leaves_one_line(
    stage: Stage, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If a worker dies while it posts the line, the thread still has exactly one line."""
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
    """If an older worker posted without the line and died, the next message has the line."""
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
