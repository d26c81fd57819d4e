"""A pause before i-Reserve is told: edits, deletions, notes and modes within it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models import ReplyMode, ReplyState, Visibility, utc_now
from tasks.replies.catch_up import collect
from tests.stage.paused_replies import (
    PAUSE_S,
    end_pauses,
    open_paused,
    paused_reply,
    told_replies,
)
from tests.stage.stage import LICENCE, Stage
from tests.stage.thread import MirroredThread

one_database = pytest.mark.one_database


@pytest.fixture
def thread(stage: Stage) -> MirroredThread:
    """A conversation of a licence with a pause, and an i-Reserve that takes replies."""
    return open_paused(stage)


def test_reply_waits_for_the_pause_and_is_told_once(thread: MirroredThread) -> None:
    """A reply is told once after the pause, and until then its row has no content."""
    row = paused_reply(thread, "at six")
    before = told_replies(thread)

    end_pauses(thread)
    thread.resolve(row.id)

    assert before == []
    assert row.paused_until == row.next_attempt_at == row.received_at + timedelta(seconds=PAUSE_S)
    assert told_replies(thread) == [("recorded", 1, "public", "at six")]
    told = thread.reply(row.id)
    assert told is not None
    assert (told.state, told.paused_until, told.reason) == (ReplyState.RECORDED, None, None)


@one_database
def test_wake_up_within_the_pause_tells_nothing(thread: MirroredThread) -> None:
    """A second wake-up, such as an operator's, does not shorten the pause."""
    row = paused_reply(thread, "at six")
    thread.change(row.id, next_attempt_at=utc_now())
    thread.stage.stand_in.clear_received()

    report = thread.resolve(row.id)

    assert str(report) == "1 paused"
    assert told_replies(thread) == []
    assert thread.asked(f"/posts/{row.post_id}") == 0
    again = thread.reply(row.id)
    assert again is not None
    assert again.next_attempt_at == row.paused_until


@one_database
def test_edit_within_the_pause_is_what_arrives(thread: MirroredThread) -> None:
    """A reply that is edited within the pause is told once, with the new text."""
    row = paused_reply(thread, "at six")
    thread.stage.member().patch_post(row.post_id, message="at seven")

    end_pauses(thread)
    thread.resolve(row.id)
    collect(thread.stage.runtime, LICENCE, on_page=lambda: None)
    thread.resolve(row.id)

    assert told_replies(thread) == [("recorded", 1, "public", "at seven")]


@pytest.mark.parametrize("looks", [False, True], ids=["unseen", "seen by catch-up"])
@one_database
def test_deletion_within_the_pause_takes_the_reply_back(
    thread: MirroredThread, looks: bool
) -> None:
    """A reply deleted within the pause is never told."""
    row = paused_reply(thread, "at six")
    thread.stage.member().delete_post(row.post_id)
    if looks:
        collect(thread.stage.runtime, LICENCE, on_page=lambda: None)

    end_pauses(thread)
    thread.resolve(row.id)

    assert told_replies(thread) == []
    assert thread.reply(row.id) is None


@one_database
def test_edit_and_deletion_after_the_pause_are_told_at_once(thread: MirroredThread) -> None:
    """After the pause, edits and deletions are told at once."""
    row = paused_reply(thread, "at six")
    end_pauses(thread)
    thread.resolve(row.id)
    member = thread.stage.member()

    member.patch_post(row.post_id, message="at seven")
    thread.ask_again(row.id)
    member.delete_post(row.post_id)
    thread.ask_again(row.id)

    assert told_replies(thread) == [
        ("recorded", 1, "public", "at six"),
        ("edited", 2, "public", "at seven"),
        ("deleted", 3, "public", None),
    ]


@one_database
def test_note_has_no_pause(thread: MirroredThread) -> None:
    """A note has no pause, since no visitor reads it."""
    thread.recorded(thread.say("note: careful"))

    assert told_replies(thread) == [("recorded", 1, "internal", "careful")]


@one_database
def test_note_that_becomes_a_reply_has_a_pause_of_its_own(thread: MirroredThread) -> None:
    """A note that becomes a reply has a pause from the time when the edit was seen."""
    row = thread.recorded(thread.say("note: at six"))
    thread.stage.member().patch_post(row.post_id, message="at six")
    thread.change(row.id, received_at=utc_now() - timedelta(hours=1))
    collect(thread.stage.runtime, LICENCE, on_page=lambda: None)
    thread.resolve(row.id)
    waiting = thread.reply(row.id)
    before = told_replies(thread)

    end_pauses(thread)
    thread.resolve(row.id)

    assert waiting is not None
    assert (waiting.state, waiting.visibility) == (ReplyState.RECEIVED, Visibility.INTERNAL)
    assert before == [("recorded", 1, "internal", "at six")]
    assert told_replies(thread) == [("edited", 2, "public", "at six")]


@one_database
def test_mode_of_the_end_of_the_pause_counts(thread: MirroredThread) -> None:
    """The mode at the end of the pause decides the visibility."""
    row = paused_reply(thread, "at six")
    thread.change_licence(reply_mode=ReplyMode.ALERTS)

    end_pauses(thread)
    thread.resolve(row.id)

    assert told_replies(thread) == [("recorded", 1, "internal", "at six")]


@one_database
def test_server_that_cannot_be_asked_at_the_end_lets_the_reply_wait(
    thread: MirroredThread,
) -> None:
    """If the server fails when the pause ends, the reply waits until its post can be read again."""
    row = paused_reply(thread, "at six")
    end_pauses(thread)

    with thread.fault("error_500"):
        thread.resolve(row.id)
    before = told_replies(thread)
    thread.stage.member().patch_post(row.post_id, message="at seven")
    thread.resolve(row.id)

    assert before == []
    assert told_replies(thread) == [("recorded", 1, "public", "at seven")]
