"""Messages of a chat bot and of i-Reserve itself, and notes for the team."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from models import Licence, Names, Reply
from tasks.outbound.resending import send_again
from tasks.replies.catch_up import collect
from tests.stage.stage import LICENCE, Stage
from tests.stage.thread import MirroredThread

pytestmark = pytest.mark.one_database

QUESTION = "Is het huis nog vrij?"
BOT = {"sender_name": "Assistent", "sender_role": "bot"}
SYSTEM = {"sender_name": None, "sender_role": "system"}
NOTE = {"sender_name": "Anna", "sender_role": "agent", "visibility": "internal"}


def card(stage: Stage) -> str:
    """Return the root's first line, with the state and the question."""
    return stage.channel_posts()[0].message.splitlines()[0]


@pytest.mark.parametrize(
    ("sender", "text", "shown"),
    [
        pytest.param(BOT, "*Ja* @anna", "🤖 **Assistent** (bot)\n\\*Ja\\* @\u200banna", id="bot"),
        pytest.param(SYSTEM, "Jan left the page", "ℹ️ Jan left the page", id="i-Reserve"),
        pytest.param(
            NOTE, "*ask* @bert", "🔒 **Anna** (i-Reserve) · internal note\n\n*ask* @bert", id="note"
        ),
        pytest.param(
            SYSTEM | {"visibility": "internal"},
            "mailed",
            "🔒 internal note\nmailed",
            id="note by i-Reserve",
        ),
    ],
)
def test_what_no_person_says_to_the_visitor_answers_nothing(
    sender: dict[str, Any], text: str, shown: str, stage: Stage
) -> None:
    """A bot's message or a note does not end the visitor's wait on the card."""
    stage.reply("m0", text, **sender)
    stage.reply("m1", QUESTION)
    stage.reply("m2", text, **sender)

    _, before, _, after = stage.channel_posts()
    assert (before.message, after.message) == (shown, shown)
    assert card(stage) == f"🟠 **Jan** · {QUESTION}"
    assert stage.conversation().waiting_since is not None


def test_agents_message_answers_and_a_note_after_it_changes_nothing(stage: Stage) -> None:
    """An agent's message ends the wait, and a later note or bot's message changes nothing."""
    stage.reply("m1", QUESTION)
    stage.reply("m2", "Ja!", sender_name="Anna", sender_role="agent")
    stage.reply("m3", "Nog iets?", **BOT)
    stage.reply("m4", "belt morgen", **NOTE)

    assert card(stage) == f"🟢 **Jan** · {QUESTION}"


@pytest.mark.parametrize("names", [Names.HEADER, Names.AUTHOR], ids=lambda each: each.value)
def test_note_of_ireserve_never_comes_back(stage: Stage, names: Names) -> None:
    """A note that we posted is ignored by webhook and catch-up."""
    stage.stand_in.set_options(EnablePostUsernameOverride=True, EnablePostIconOverride=True)
    with stage.runtime.database.transaction() as session:
        session.execute(update(Licence).values(names=names, allows_own_names=True))
    thread = MirroredThread.open(stage)
    stage.reply("m1", "belt morgen", **NOTE)

    (note,) = stage.channel_posts()[1:]
    called = thread.take_in(note)
    collect(stage.runtime, LICENCE, on_page=lambda: None)

    assert "🔒" in note.message
    assert called is None
    with stage.runtime.database.snapshot() as session:
        assert session.query(Reply).count() == 0


def test_files_of_a_note_say_that_it_is_one_too(stage: Stage) -> None:
    """All posts of a note with many files are marked as a note."""
    files = [{"name": f"{number}.txt", "path": f"{number}.txt"} for number in range(11)]
    for file in files:
        (stage.store / file["path"]).write_text("x")

    stage.reply("m1", "", attachments=files, **NOTE)

    posts = stage.channel_posts()[1:]
    assert [post.message for post in posts] == [
        "🔒 **Anna** (i-Reserve) · internal note",
        "🔒 **Anna** (i-Reserve) · internal note · file 11 of 11",
    ]


def test_note_that_came_from_mattermost_is_not_posted(stage: Stage) -> None:
    """A note that came from Mattermost is not posted again."""
    stage.start()
    stage.reply("m1", "note: belt morgen", origin_post_id="p" * 26, **NOTE)

    assert stage.states()["reply:m1"] == ("skipped", "from_mattermost")
    assert len(stage.channel_posts()) == 1


def test_note_that_failed_is_still_a_note_when_it_is_sent_again(stage: Stage) -> None:
    """A failed note is still a note when it is resent."""
    stage.start()
    stage.stand_in.set_fault("plugin_rejection", scope="posts", times=1)
    stage.reply("m1", "belt morgen", **NOTE)
    (failed,) = [row for row in stage.ledger() if row.key == "reply:m1"]

    lane = send_again(stage.runtime.database, stage.runtime.lanes, failed.id)
    assert lane is not None
    raw = stage.runtime.lanes.head(lane)
    stage.drain(lane)

    assert b'"v":3' in (raw or b"")
    assert stage.channel_posts()[-1].message.startswith("🔒 ")
