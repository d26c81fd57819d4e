"""Each receipt is given once, a moment after the reply, also if a worker dies."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import pytest
from celery.signals import before_task_publish

from models import Receipt, Reply, ReplyState, utc_now
from tasks.licences.circuit import FAILURES_TO_OPEN
from tasks.licences.planned_looks import SLOT_S
from tasks.mattermost import NotSentError, Post, Reason
from tasks.replies.due_receipts import claim_due_receipts, settle
from tasks.replies.giving_receipts import give_due_receipts, wake_late_receipts
from tasks.replies.known_reply import RECEIPT_DELAY
from tasks.wake import GIVE_RECEIPTS
from tests.stage.stage import LICENCE, Stage
from tests.stage.thread import MirroredThread

CHECK_MARK, LOCK = ("bot", "white_check_mark"), ("bot", "lock")


@pytest.fixture
def thread(stage: Stage) -> MirroredThread:
    """A conversation with its thread, and an i-Reserve that takes no replies."""
    return MirroredThread.open(stage)


def _give(thread: MirroredThread) -> int:
    return give_due_receipts(thread.stage.runtime, LICENCE)


def _calls(thread: MirroredThread) -> list[str]:
    """Return the methods of the requests that change reactions, in order."""
    received = thread.stage.stand_in.received()
    return [call.method for call in received if "/reactions" in call.path and call.method != "GET"]


def _edited(thread: MirroredThread, post: Post, message: str) -> Reply:
    row = thread.recorded(post)
    thread.stage.member().patch_post(post.id, message=message)
    return thread.ask_again(row.id)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Welcome", id="reply"),
        pytest.param("note: careful", id="note"),
        pytest.param("\u2800", id="nothing to show"),
    ],
)
def test_receipt_is_due_some_time_after_the_reply_was_received(
    thread: MirroredThread, text: str
) -> None:
    """A receipt is due some time after we received the reply, by our clock."""
    post = thread.say(text)
    row = thread.recorded(post)

    given = _give(thread)

    assert row.receipt_due_at == row.received_at + RECEIPT_DELAY
    assert (given, _calls(thread)) == (0, [])


def test_receipt_of_a_reply_that_took_long_is_due_at_once(thread: MirroredThread) -> None:
    """The receipt of a delayed reply is due at once."""
    reply_id = thread.receive(thread.say("Welcome").id)
    thread.change(reply_id, received_at=utc_now() - timedelta(minutes=1))

    thread.resolve(reply_id)

    assert (_give(thread), _calls(thread)) == (1, ["POST"])


def test_receipt_is_given_once(thread: MirroredThread) -> None:
    """Two looks for due receipts give one receipt, and the row stores it."""
    row = thread.recorded(thread.say("Welcome"))

    marks = [thread.marks(row.post_id) for _ in range(2)]

    after = thread.reply(row.id)
    assert after is not None
    assert marks == [[CHECK_MARK]] * 2
    assert _calls(thread) == ["POST"]
    assert (after.receipt, after.receipt_due_at) == (Receipt.RECORDED, None)


def test_reply_that_becomes_a_note_before_its_receipt_has_the_lock_alone(
    thread: MirroredThread,
) -> None:
    """A reply that becomes a note before its receipt gets only the lock."""
    post = thread.say("Welcome")
    _edited(thread, post, "note: careful")

    marks = thread.marks(post.id)

    assert marks == [LOCK]
    assert _calls(thread) == ["POST"]


def test_edit_that_is_taken_back_before_its_receipt_changes_none(thread: MirroredThread) -> None:
    """An edit that is reverted before its receipt changes no receipt."""
    post = thread.say("Welcome")
    thread.recorded(post)
    thread.marks(post.id)
    row = _edit(thread, post, "note: careful")
    row = _edit(thread, post, "Welcome")

    assert row.receipt_due_at is None
    assert thread.marks(post.id) == [CHECK_MARK]
    assert _calls(thread) == ["POST"]


def _edit(thread: MirroredThread, post: Post, message: str) -> Reply:
    thread.stage.member().patch_post(post.id, message=message)
    with thread.database.transaction() as session:
        reply_id = session.query(Reply.id).filter_by(post_id=post.id).scalar()
    return thread.ask_again(reply_id)


def test_post_that_is_deleted_before_its_receipt_gets_none(thread: MirroredThread) -> None:
    """A deleted post gets no receipt and causes no request."""
    post = thread.say("Welcome")
    row = thread.recorded(post)
    thread.stage.member().delete_post(post.id)

    row = thread.ask_again(row.id)

    assert (row.state, row.receipt_due_at) == (ReplyState.DELETED, None)
    assert (_give(thread), _calls(thread)) == (0, [])


def test_receipts_that_a_dead_worker_had_claimed_are_due_again(thread: MirroredThread) -> None:
    """Another worker gives the receipts that a dead worker had claimed."""
    row = thread.recorded(thread.say("Welcome"))
    thread.change(row.id, receipt_due_at=utc_now())
    claimed = claim_due_receipts(thread.database, LICENCE)

    at_once = _give(thread)

    assert ([due.known.id for due in claimed], at_once) == ([row.id], 0)
    assert thread.marks(row.post_id) == [CHECK_MARK]


def test_reply_that_changes_while_its_post_is_marked_is_looked_at_again(
    thread: MirroredThread,
) -> None:
    """If a reply changes while its post gets a receipt, the next look replaces the receipt."""
    post = thread.say("Welcome")
    row = thread.recorded(post)
    thread.change(row.id, receipt_due_at=utc_now())
    (claimed,) = claim_due_receipts(thread.database, LICENCE)
    thread.stage.bot().add_reaction(
        post.id, user_id=thread.stage.bot().get_me().id, emoji_name="white_check_mark"
    )
    _edit(thread, post, "note: careful")

    settle(thread.database, [(claimed, Receipt.RECORDED)])

    assert thread.marks(post.id) == [LOCK]


def test_burst_is_marked_whole(thread: MirroredThread) -> None:
    """One look gives thirty receipts with one request each."""
    posts = [thread.say(f"{number}") for number in range(30)]
    rows = [thread.recorded(post) for post in posts]
    for row in rows:
        thread.change(row.id, receipt_due_at=utc_now())

    count = _give(thread)

    assert (count, _calls(thread)) == (30, ["POST"] * 30)
    assert [thread.reactions(post.id) for post in posts] == [[CHECK_MARK]] * 30


def test_burst_publishes_few_wake_ups(thread: MirroredThread) -> None:
    """Receipts that are due at about the same time share one wake-up."""
    etas: list[str] = []

    def note(headers: dict[str, str], **_: object) -> None:
        if headers["task"] == GIVE_RECEIPTS:
            etas.append(headers["eta"])

    before_task_publish.connect(note)
    try:
        reply_ids = [thread.receive(thread.say(f"{number}").id) for number in range(10)]
        received_at = utc_now()
        for reply_id in reply_ids:
            thread.change(reply_id, received_at=received_at)
        thread.resolve(*reply_ids)
    finally:
        before_task_publish.disconnect(note)

    # On a busy machine the last replies are recorded when the first receipts are already due.
    # The last replies then need another wake-up.
    late_s = max((utc_now() - received_at - RECEIPT_DELAY).total_seconds(), 0.0)
    assert 1 <= len(etas) <= 1 + math.ceil(late_s / SLOT_S)
    assert etas[0] >= (received_at + RECEIPT_DELAY).isoformat()


def test_late_receipts_wake_their_licence(thread: MirroredThread) -> None:
    """The sweep wakes licences with late receipts, and no others."""
    row = thread.recorded(thread.say("Welcome"))
    not_due = wake_late_receipts(thread.stage.runtime)
    thread.change(row.id, receipt_due_at=utc_now() - timedelta(seconds=5))

    late = wake_late_receipts(thread.stage.runtime)
    thread.change_licence(enabled=False)

    assert (not_due, late, wake_late_receipts(thread.stage.runtime)) == (0, 1, 0)


def test_server_that_is_away_is_asked_for_nothing(thread: MirroredThread) -> None:
    """Receipts for a server that is away wait, without a claim or a wake-up."""
    row = thread.recorded(thread.say("Welcome"))
    thread.change(row.id, receipt_due_at=utc_now() - timedelta(seconds=5))
    circuits = thread.stage.runtime.circuits
    for _ in range(FAILURES_TO_OPEN):
        circuits.note(LICENCE, NotSentError(Reason.UNREACHABLE))

    away = (_give(thread), wake_late_receipts(thread.stage.runtime), _calls(thread))
    circuits.close(LICENCE)

    assert away == (0, 0, [])
    assert (wake_late_receipts(thread.stage.runtime), _give(thread)) == (1, 1)
    assert thread.reactions(row.post_id) == [CHECK_MARK]


def test_server_that_goes_away_meanwhile_ends_the_look(thread: MirroredThread) -> None:
    """After the first failed request, the look ends and the other receipts wait."""
    posts = [thread.say(f"{number}") for number in range(3)]
    rows = [thread.recorded(post) for post in posts]
    for row in rows:
        thread.change(row.id, receipt_due_at=utc_now())

    with thread.fault("down"):
        count = _give(thread)

    assert (count, len(_calls(thread))) == (0, 1)
    assert [thread.marks(post.id) for post in posts] == [[CHECK_MARK]] * 3


def test_worker_that_stops_marks_no_more(thread: MirroredThread) -> None:
    """A stopping worker gives no more receipts."""
    row = thread.recorded(thread.say("Welcome"))
    thread.change(row.id, receipt_due_at=utc_now())
    stopping = thread.stage.runtime.stopping
    stopping.set()

    stopped = _give(thread)
    thread.stage.runtime = replace(thread.stage.runtime, stopping=type(stopping)())

    assert (stopped, _give(thread)) == (0, 1)
