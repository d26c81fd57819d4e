"""A pause before i-Reserve is told: edits, deletions, order, and dead workers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from models import Reply, ReplyMode, ReplyState, Visibility, utc_now
from tasks.replies.catch_up import collect
from tasks.replies.pauses import GROWTH, LONGEST_WAIT
from tests.stage.stage import LICENCE, Stage
from tests.stage.task_messages import taken
from tests.stage.thread import MirroredThread

TASK, QUEUE = "ireserve.take_reply", "ireserve"
PAUSE_S = 10
one_database = pytest.mark.one_database


@pytest.fixture
def thread(stage: Stage) -> MirroredThread:
    """A conversation of a licence with a pause, and an i-Reserve that wants replies."""
    thread = MirroredThread.open(stage)
    thread.configure(reply_task=TASK, reply_queue=QUEUE)
    thread.change_licence(reply_pause_s=PAUSE_S)
    return thread


def _told(thread: MirroredThread) -> list[tuple[Any, ...]]:
    """Return event, revision, visibility and text of all that i-Reserve has been told."""
    names = ("event", "revision", "visibility", "plain_text")
    messages = taken(thread.stage.runtime.settings.redis_url, QUEUE)
    return [tuple(each.keywords[name] for name in names) for each in messages]


def _end_pauses(thread: MirroredThread) -> None:
    """End all pauses. A reply then waits its longest for an earlier one."""
    with thread.database.transaction() as session:
        ended = utc_now() - LONGEST_WAIT / GROWTH
        over = {"paused_until": ended, "received_at": ended - timedelta(seconds=PAUSE_S)}
        session.execute(update(Reply).where(Reply.paused_until.is_not(None)).values(**over))


def _waiting(thread: MirroredThread, message: str) -> Reply:
    """Write a reply and resolve it for the first time."""
    row = thread.recorded(thread.say(message))
    assert (row.state, row.reason, row.text) == (ReplyState.RECEIVED, "paused", None)
    return row


def test_reply_waits_for_the_pause_and_is_told_once(thread: MirroredThread) -> None:
    """A reply is told once after the pause, and until then its row has no content."""
    row = _waiting(thread, "at six")
    before = _told(thread)

    _end_pauses(thread)
    thread.resolve(row.id)

    assert before == []
    assert row.paused_until == row.next_attempt_at == row.received_at + timedelta(seconds=PAUSE_S)
    assert _told(thread) == [("recorded", 1, "public", "at six")]
    told = thread.reply(row.id)
    assert told is not None
    assert (told.state, told.paused_until, told.reason) == (ReplyState.RECORDED, None, None)


@one_database
def test_wake_up_within_the_pause_tells_nothing(thread: MirroredThread) -> None:
    """A repeated wake-up or an operator does not shorten the pause."""
    row = _waiting(thread, "at six")
    thread.change(row.id, next_attempt_at=utc_now())
    thread.stage.stand_in.clear_received()

    report = thread.resolve(row.id)

    assert str(report) == "1 paused"
    assert _told(thread) == []
    assert thread.asked(f"/posts/{row.post_id}") == 0
    again = thread.reply(row.id)
    assert again is not None
    assert again.next_attempt_at == row.paused_until


@one_database
def test_edit_within_the_pause_is_what_arrives(thread: MirroredThread) -> None:
    """A reply edited within the pause is told once, as edited."""
    row = _waiting(thread, "at six")
    thread.stage.member().patch_post(row.post_id, message="at seven")

    _end_pauses(thread)
    thread.resolve(row.id)
    collect(thread.stage.runtime, LICENCE, on_page=lambda: None)
    thread.resolve(row.id)

    assert _told(thread) == [("recorded", 1, "public", "at seven")]


@pytest.mark.parametrize("looks", [False, True], ids=["unseen", "seen by catch-up"])
@one_database
def test_deletion_within_the_pause_takes_the_reply_back(
    thread: MirroredThread, looks: bool
) -> None:
    """A reply deleted within the pause is never told."""
    row = _waiting(thread, "at six")
    thread.stage.member().delete_post(row.post_id)
    if looks:
        collect(thread.stage.runtime, LICENCE, on_page=lambda: None)

    _end_pauses(thread)
    thread.resolve(row.id)

    assert _told(thread) == []
    assert thread.reply(row.id) is None


@one_database
def test_edit_and_deletion_behind_the_pause_are_told_at_once(thread: MirroredThread) -> None:
    """After the pause, edits and deletions are told at once."""
    row = _waiting(thread, "at six")
    _end_pauses(thread)
    thread.resolve(row.id)
    member = thread.stage.member()

    member.patch_post(row.post_id, message="at seven")
    thread.ask_again(row.id)
    member.delete_post(row.post_id)
    thread.ask_again(row.id)

    assert _told(thread) == [
        ("recorded", 1, "public", "at six"),
        ("edited", 2, "public", "at seven"),
        ("deleted", 3, "public", None),
    ]


@one_database
def test_note_has_no_pause(thread: MirroredThread) -> None:
    """A note has no pause, since no visitor reads it."""
    thread.recorded(thread.say("note: careful"))

    assert _told(thread) == [("recorded", 1, "internal", "careful")]


@one_database
def test_note_that_becomes_a_reply_has_a_pause_of_its_own(thread: MirroredThread) -> None:
    """A note that becomes a reply has a pause from the time when the edit was seen."""
    row = thread.recorded(thread.say("note: at six"))
    thread.stage.member().patch_post(row.post_id, message="at six")
    thread.change(row.id, received_at=utc_now() - timedelta(hours=1))
    collect(thread.stage.runtime, LICENCE, on_page=lambda: None)
    thread.resolve(row.id)
    waiting = thread.reply(row.id)
    before = _told(thread)

    _end_pauses(thread)
    thread.resolve(row.id)

    assert waiting is not None
    assert (waiting.state, waiting.visibility) == (ReplyState.RECEIVED, Visibility.INTERNAL)
    assert before == [("recorded", 1, "internal", "at six")]
    assert _told(thread) == [("edited", 2, "public", "at six")]


@one_database
def test_mode_of_the_end_of_the_pause_counts(thread: MirroredThread) -> None:
    """The mode at the end of the pause decides the visibility."""
    row = _waiting(thread, "at six")
    thread.change_licence(reply_mode=ReplyMode.ALERTS)

    _end_pauses(thread)
    thread.resolve(row.id)

    assert _told(thread) == [("recorded", 1, "internal", "at six")]


@one_database
def test_server_that_cannot_be_asked_at_the_end_lets_the_reply_wait(
    thread: MirroredThread,
) -> None:
    """A reply is not told before the post was read again after the pause."""
    row = _waiting(thread, "at six")
    _end_pauses(thread)

    with thread.fault("error_500"):
        thread.resolve(row.id)
    before = _told(thread)
    thread.stage.member().patch_post(row.post_id, message="at seven")
    thread.resolve(row.id)

    assert before == []
    assert _told(thread) == [("recorded", 1, "public", "at seven")]


def test_later_reply_does_not_overtake_a_paused_one(thread: MirroredThread) -> None:
    """A later reply waits for an earlier paused one, even if the pause is switched off."""
    first = _waiting(thread, "one")
    thread.change_licence(reply_pause_s=0)
    second = _waiting(thread, "two")
    before = _told(thread)

    _end_pauses(thread)
    thread.resolve(second.id)
    between = _told(thread)
    thread.resolve(second.id)

    assert before == []
    assert second.next_attempt_at >= first.next_attempt_at
    assert [told[3] for told in between] == ["one"]
    assert [told[3] for told in _told(thread)] == ["two"]


@one_database
def test_reply_of_a_dead_worker_is_woken_by_the_one_behind_it(thread: MirroredThread) -> None:
    """A later reply makes a dead worker's earlier reply due at once."""
    first, second = _waiting(thread, "one"), _waiting(thread, "two")
    _end_pauses(thread)
    thread.change(first.id, next_attempt_at=utc_now() + timedelta(minutes=5))

    thread.resolve(second.id)
    between = _told(thread)
    thread.resolve(second.id)

    assert [told[3] for told in between] == ["one"]
    assert [told[3] for told in _told(thread)] == ["two"]


@one_database
def test_reply_that_is_recorded_and_not_told_holds_up_the_next(thread: MirroredThread) -> None:
    """A recorded reply that was not told delays the next until the sweep tells it."""
    first, second = _waiting(thread, "one"), _waiting(thread, "two")
    _end_pauses(thread)
    thread.resolve(first.id)
    _told(thread)
    thread.change(first.id, pending_event="recorded", paused_until=utc_now())

    thread.resolve(second.id)
    between = _told(thread)
    thread.resolve(first.id, second.id)

    assert between == []
    assert [told[3] for told in _told(thread)] == ["one", "two"]


@one_database
def test_post_that_no_worker_has_seen_holds_up_the_replies_behind_it(
    thread: MirroredThread,
) -> None:
    """With a pause, an unresolved earlier post delays later replies."""
    unseen = thread.receive(thread.say("one").id)
    second = _waiting(thread, "two")
    thread.change(unseen, received_at=second.received_at - timedelta(seconds=PAUSE_S))
    _end_pauses(thread)

    thread.resolve(second.id)
    between = _told(thread)
    thread.resolve(second.id)

    assert [told[3] for told in between] == ["one"]
    assert [told[3] for told in _told(thread)] == ["two"]


@pytest.mark.parametrize("is_given_up", [False, True], ids=["refused", "given up"])
@one_database
def test_reply_that_cannot_be_recorded_holds_up_no_other(
    thread: MirroredThread, is_given_up: bool
) -> None:
    """A reply that cannot be recorded delays no other."""
    first, second = _waiting(thread, "one"), _waiting(thread, "two")
    _end_pauses(thread)
    if is_given_up:
        thread.give_up(first.id)
    else:
        with thread.fault("unauthorized", times=1):
            thread.resolve(first.id)

    thread.resolve(second.id)

    assert _told(thread) == [("recorded", 1, "public", "two")]


@one_database
def test_other_conversations_do_not_wait(thread: MirroredThread) -> None:
    """Replies wait only for earlier ones of the same conversation."""
    _waiting(thread, "one")
    thread.change_licence(reply_pause_s=0)
    thread.stage.start("c2")
    root = [post for post in thread.stage.channel_posts() if not post.root_id][-1]
    member = thread.stage.member()
    post = member.create_post(channel_id=root.channel_id, root_id=root.id, message="two")

    thread.recorded(post)

    assert _told(thread) == [("recorded", 1, "public", "two")]


@one_database
def test_reply_does_not_wait_for_itself(thread: MirroredThread) -> None:
    """A reply does not wait for itself, even if its post's time has changed."""
    row = _waiting(thread, "one")
    thread.change(row.id, posted_at=utc_now() - timedelta(hours=1))
    _end_pauses(thread)

    thread.resolve(row.id)

    assert _told(thread) == [("recorded", 1, "public", "one")]
