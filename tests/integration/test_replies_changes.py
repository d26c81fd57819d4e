"""Edits, deletions, notes and receipts: what a recorded reply goes through later."""

from __future__ import annotations

import pytest

from models import Reply, ReplyState, Visibility, utc_now
from tasks.replies.patience import GIVE_UP_AFTER_S
from tests.integration.conftest import Office
from tests.integration.desk import Desk


@pytest.fixture
def desk(office: Office) -> Desk:
    """A conversation with its thread; i-Reserve is told nothing, so events stay to be seen."""
    desk = Desk.open(office)
    desk.configure(reply_task="ireserve.take_reply", reply_queue="ireserve")
    return desk


def _state(row: Reply | None) -> tuple[object, ...]:
    assert row is not None
    return row.state, row.visibility, row.plain_text, row.revision


def test_edit_is_recorded_with_a_new_revision(desk: Desk) -> None:
    """The row holds the new text."""
    row = desk.recorded(desk.say("at six"))
    desk.office.member().patch_post(row.post_id, message="at seven")

    edited = desk.ask_again(row.id)

    assert _state(edited) == (ReplyState.RECORDED, Visibility.PUBLIC, "at seven", 2)
    assert edited.posted_at == row.posted_at


def test_change_that_is_none_to_the_visitor_is_not_told(desk: Desk) -> None:
    """A reaction moves the post's time of change, and nothing else."""
    row = desk.recorded(desk.say("at six"))
    member = desk.office.member()
    member.add_reaction(row.post_id, user_id=member.get_me().id, emoji_name="smile")

    again = desk.ask_again(row.id)

    assert (again.revision, again.pending_event) == (1, None)
    assert again.post_update_at_ms > row.post_update_at_ms


def test_older_version_than_the_recorded_one_changes_nothing(desk: Desk) -> None:
    """A replica that lags behind still has the text as it was."""
    row = desk.recorded(desk.say("new"))
    desk.change(row.id, text="newer", post_update_at_ms=row.post_update_at_ms + 60_000)

    again = desk.ask_again(row.id)

    assert (again.state, again.text, again.revision) == (ReplyState.RECORDED, "newer", 1)


def test_note_is_internal_and_an_edit_turns_it_into_a_reply_and_back(desk: Desk) -> None:
    """The visibility follows the text; the prefix is in the text and not in the plain one."""
    row = desk.recorded(desk.say("Note: he is angry"))
    member = desk.office.member()
    member.patch_post(row.post_id, message="We are sorry")
    reply = desk.ask_again(row.id)
    reply_state = _state(reply)
    member.patch_post(row.post_id, message="// refund him")
    note = desk.ask_again(row.id)

    assert row.text == "Note: he is angry"
    assert _state(row) == (ReplyState.RECORDED, Visibility.INTERNAL, "he is angry", 1)
    assert reply_state == (ReplyState.RECORDED, Visibility.PUBLIC, "We are sorry", 2)
    assert _state(note) == (ReplyState.RECORDED, Visibility.INTERNAL, "refund him", 3)


def test_licence_chooses_the_words_that_begin_a_note(desk: Desk) -> None:
    """Its own prefix makes a note, the default one does not any more."""
    desk.change_licence(note_prefixes="intern:")

    rows = [desk.recorded(desk.say(text)) for text in ("Intern: x", "note: y")]

    assert [row.visibility for row in rows] == [Visibility.INTERNAL, Visibility.PUBLIC]


def test_deletion_forgets_what_was_said_and_its_files(desk: Desk) -> None:
    """The row stays, without texts; the files are gone from the store too."""
    row = desk.recorded(desk.say("oops", file_ids=desk.upload(b"secret")))
    stored = desk.office.store / (desk.attachments(row.id)[0].path or "")
    existed = stored.exists()
    desk.office.member().delete_post(row.post_id)

    gone = desk.ask_again(row.id)

    assert (gone.state, gone.text, gone.plain_text, gone.revision) == (
        ReplyState.DELETED,
        None,
        None,
        2,
    )
    assert existed
    assert not stored.exists()
    assert desk.attachments(row.id) == []


def test_deletion_is_told_once(desk: Desk) -> None:
    """A deleted reply that is asked for again stays as it is."""
    row = desk.recorded(desk.say("oops"))
    desk.office.member().delete_post(row.post_id)
    desk.ask_again(row.id)

    again = desk.ask_again(row.id)

    assert (again.state, again.revision, again.pending_event) == (ReplyState.DELETED, 2, None)


def test_deletion_with_the_whole_thread_is_recorded_although_the_conversation_went_on(
    desk: Desk,
) -> None:
    """With the root post go its replies; by then the conversation has another thread."""
    row = desk.recorded(desk.say("in the old thread"))
    desk.office.bot().delete_post(desk.root_post_id)
    desk.office.reply("m1", "goes on in a new thread")

    gone = desk.ask_again(row.id)

    assert gone.state is ReplyState.DELETED


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("Welcome", "white_check_mark", id="reply"),
        pytest.param("note: careful", "lock", id="note"),
    ],
)
def test_receipt_says_what_became_of_the_reply(desk: Desk, text: str, expected: str) -> None:
    """A check mark for what the visitor sees, a lock for what stays inside."""
    post = desk.say(text)

    desk.recorded(post)

    assert desk.reactions(post.id) == [("bot", expected)]


def test_receipt_follows_the_visibility(desk: Desk) -> None:
    """When a note becomes a reply the lock gives way to the check mark."""
    row = desk.recorded(desk.say("note: careful"))
    desk.office.member().patch_post(row.post_id, message="Welcome")

    desk.ask_again(row.id)

    assert desk.reactions(row.post_id) == [("bot", "white_check_mark")]


def test_receipt_of_a_reply_that_was_given_up_is_a_warning_until_it_is_mended(desk: Desk) -> None:
    """The member sees that the visitor did not get it, and then that he did."""
    post = desk.say("hello", file_ids=desk.upload(b"x"))
    reply_id = desk.receive(post.id)
    desk.change(reply_id, received_at=utc_now().replace(year=utc_now().year - 1), attempts=0)
    assert GIVE_UP_AFTER_S < 365 * 86_400
    with desk.fault("html_200", times=1):
        desk.resolve(reply_id)
    warned = desk.reactions(post.id)

    desk.resolve(reply_id)

    assert warned == [("bot", "warning")]
    assert desk.reactions(post.id) == [("bot", "white_check_mark")]


def test_licence_without_receipts_gets_none(desk: Desk) -> None:
    """The setting switches the reactions off."""
    desk.change_licence(receipts=False)
    post = desk.say("hello")

    desk.recorded(post)

    assert desk.reactions(post.id) == []


def test_receipt_that_fails_never_fails_the_reply(desk: Desk) -> None:
    """In an archived channel nobody can react, and replies are recorded all the same."""
    post = desk.say("hello")
    desk.office.stand_in.setup(
        {"channels": [{"team": "support", "name": "webchat", "archived": True}]}
    )

    row = desk.recorded(post)

    assert row.state is ReplyState.RECORDED
    assert desk.asked("/reactions", method="POST") == 1
