"""Later changes of a recorded reply: edits, deletions and visibility."""

from __future__ import annotations

import pytest

from models import Reply, ReplyState, Visibility
from tasks.replies.catch_up import collect
from tests.stage.stage import LICENCE, Stage
from tests.stage.thread import MirroredThread


@pytest.fixture
def thread(stage: Stage) -> MirroredThread:
    """A conversation with its thread, and an i-Reserve that takes replies."""
    thread = MirroredThread.open(stage)
    thread.configure(reply_task="ireserve.take_reply", reply_queue="ireserve")
    return thread


def _state(row: Reply | None) -> tuple[object, ...]:
    assert row is not None
    return row.state, row.visibility, row.plain_text, row.revision


def test_edit_is_recorded_with_a_new_revision(thread: MirroredThread) -> None:
    """An edit stores the new text with a new revision."""
    row = thread.recorded(thread.say("at six"))
    thread.stage.member().patch_post(row.post_id, message="at seven")

    edited = thread.ask_again(row.id)

    assert _state(edited) == (ReplyState.RECORDED, Visibility.PUBLIC, "at seven", 2)
    assert edited.posted_at == row.posted_at


def test_reaction_is_not_told(thread: MirroredThread) -> None:
    """A reaction changes the post's time, and i-Reserve is not told."""
    row = thread.recorded(thread.say("at six"))
    member = thread.stage.member()
    member.add_reaction(row.post_id, user_id=member.get_me().id, emoji_name="smile")

    again = thread.ask_again(row.id)

    assert (again.revision, again.pending_event) == (1, None)
    assert again.post_update_at_ms > row.post_update_at_ms


def test_older_version_than_the_recorded_one_changes_nothing(thread: MirroredThread) -> None:
    """An older version, as from a lagging replica, changes nothing."""
    row = thread.recorded(thread.say("new"))
    (post,) = thread.stage.bot().get_posts_by_ids([row.post_id])
    thread.change(row.id, text="newer", post_update_at_ms=post.update_at_ms + 1)

    again = thread.ask_again(row.id)

    assert (again.state, again.text, again.revision) == (ReplyState.RECORDED, "newer", 1)


def test_note_is_internal_and_an_edit_turns_it_into_a_reply_and_back(
    thread: MirroredThread,
) -> None:
    """An edit can turn a note into a reply and back."""
    row = thread.recorded(thread.say("Note: he is angry"))
    member = thread.stage.member()
    member.patch_post(row.post_id, message="We are sorry")
    reply = thread.ask_again(row.id)
    reply_state = _state(reply)
    member.patch_post(row.post_id, message="Notitie: refund him")
    note = thread.ask_again(row.id)

    assert row.text == "Note: he is angry"
    assert _state(row) == (ReplyState.RECORDED, Visibility.INTERNAL, "he is angry", 1)
    assert reply_state == (ReplyState.RECORDED, Visibility.PUBLIC, "We are sorry", 2)
    assert _state(note) == (ReplyState.RECORDED, Visibility.INTERNAL, "refund him", 3)


def test_licence_chooses_the_words_that_begin_a_note(thread: MirroredThread) -> None:
    """A licence's own prefix makes a note, and the default one no longer does."""
    thread.change_licence(note_prefixes="intern:")

    rows = [thread.recorded(thread.say(text)) for text in ("Intern: x", "note: y")]

    assert [row.visibility for row in rows] == [Visibility.INTERNAL, Visibility.PUBLIC]


def test_deletion_forgets_what_was_said_and_its_files(thread: MirroredThread) -> None:
    """A deletion keeps the row, and removes its texts and files."""
    row = thread.recorded(thread.say("oops", file_ids=thread.upload(b"secret")))
    stored = thread.stage.store / (thread.attachments(row.id)[0].path or "")
    existed = stored.exists()
    thread.stage.member().delete_post(row.post_id)

    gone = thread.ask_again(row.id)

    assert (gone.state, gone.text, gone.plain_text, gone.revision) == (
        ReplyState.DELETED,
        None,
        None,
        2,
    )
    assert existed
    assert not stored.exists()
    assert thread.attachments(row.id) == []


def test_deletion_is_told_once(thread: MirroredThread) -> None:
    """A deleted reply that is resolved again has no new revision and no pending event."""
    row = thread.recorded(thread.say("oops"))
    thread.stage.member().delete_post(row.post_id)
    thread.ask_again(row.id)

    again = thread.ask_again(row.id)

    assert (again.state, again.revision, again.pending_event) == (ReplyState.DELETED, 2, None)


@pytest.mark.parametrize("goes_on", [False, True], ids=["ended", "went on"])
def test_reply_that_goes_with_its_thread_is_kept(thread: MirroredThread, goes_on: bool) -> None:
    """A reply whose thread is deleted is kept, also if the conversation has a new thread."""
    row = thread.recorded(thread.say("in the old thread"))
    thread.stage.bot().delete_post(thread.root_post_id)
    if goes_on:
        thread.stage.reply("m1", "goes on in a new thread")

    kept = thread.ask_again(row.id)

    assert _state(kept) == (ReplyState.RECORDED, Visibility.PUBLIC, "in the old thread", 1)


def test_reply_that_was_seen_deleted_is_taken_back_though_its_thread_goes_too(
    thread: MirroredThread,
) -> None:
    """A reply whose deletion catch-up saw is taken back, though its thread is deleted later."""
    row = thread.recorded(thread.say("Your code is 4711"))
    thread.stage.member().delete_post(row.post_id)
    collect(thread.stage.runtime, LICENCE, on_page=lambda: None)
    thread.stage.bot().delete_post(thread.root_post_id)

    gone = thread.ask_again(row.id)

    assert (gone.state, gone.text, gone.revision) == (ReplyState.DELETED, None, 2)
