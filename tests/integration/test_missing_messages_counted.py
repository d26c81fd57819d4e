"""Which failed messages count as missing in a thread, and how the line names them."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from models import Delivery, Licence
from tasks.attachments.store import AttachmentStore
from tasks.failures import MAY_HAVE_ARRIVED
from tasks.outbound.resending import discard_payloads, send_again
from tasks.privacy.erasure import Places, erase_conversation
from tests.stage.missing_messages import AGENT, LANE, fail, row_of, told
from tests.stage.stage import Stage


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
@pytest.mark.parametrize("first", ["sent", "waiting"])
def test_missing_message_that_was_sent_again_meanwhile_is_not_told(
    stage: Stage, first: str
) -> None:
    """A failed message that was resent before the next message is not named."""
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
    """A failed message without content, or with the team's own reply, is not missing."""
    stage.start()
    stage.reply("m1", **message)
    stage.reply("m2", "kept")

    assert stage.states()["reply:m1"] == ("failed", "invalid_arguments")
    assert told(stage) == []


@pytest.mark.one_database
def test_other_conversations_and_notifications_are_left_alone(stage: Stage) -> None:
    """A failed message is named only in its own thread, and a failed notification in none."""
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
def test_line_is_in_the_teams_language(stage: Stage) -> None:
    """The line is in the team's language."""
    with stage.runtime.database.transaction() as session:
        session.execute(update(Licence).values(language="nl"))
    stage.start()
    fail(stage, "m1")
    stage.reply("m2", "kept")

    (line,) = told(stage)
    assert line == (
        "⚠️ Vóór dit bericht ontbreekt hier 1 bericht (bezoeker): "
        "Mattermost nam het niet aan. Het staat in i-Reserve."
    )
