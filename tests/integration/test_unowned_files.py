"""Files without a reply are removed from the store by their recorded paths."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import Any

import pytest
import requests
from sqlalchemy import select

from models import ReplyState, UnownedFile
from tasks.attachments.store import AttachmentStore
from tasks.privacy.retention import remove_files
from tasks.replies.unowned_files import RemovalContext, remove_unowned, write_down
from tests.operators import Operator, environment_of
from tests.pages import ROOT
from tests.stage.stage import LICENCE
from tests.stage.thread import CONVERSATION, MirroredThread


def _path(file_id: str) -> str:
    return f"{LICENCE}/{CONVERSATION}/{file_id}"


def _stored(thread: MirroredThread) -> list[str]:
    """Return the names of the files in the store."""
    return sorted(each.name for each in thread.stage.store.rglob("*") if each.is_file())


def _written_down(thread: MirroredThread) -> list[str]:
    with thread.database.snapshot() as session:
        return sorted(session.scalars(select(UnownedFile.path)))


def _edit(thread: MirroredThread, post_id: str, **changes: Any) -> None:
    """Edit a post's files as a Mattermost client does; our client never does."""
    answer = requests.put(
        f"{thread.stage.stand_in.url}/api/v4/posts/{post_id}/patch",
        headers={"Authorization": f"Bearer {thread.stage.user_token}"},
        json=changes,
        timeout=10,
    )
    assert answer.ok


def _store_is_away(thread: MirroredThread) -> None:
    thread.configure(attachments_url="nowhere")


def _store_is_back(thread: MirroredThread) -> None:
    thread.configure(attachments_url=f"file://{thread.stage.store}")


def _run_dying_worker(
    thread: MirroredThread, reply_id: int, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment_of(thread.stage.runtime.settings, monkeypatch)
    program = [sys.executable, "-m", "tests.stage.dying_worker", str(reply_id), when]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    # The killed worker's lock would hold for 30 s.
    thread.stage.runtime.redis.delete(*thread.stage.runtime.redis.keys("*:lock:*"))


def test_recorded_file_is_written_down_no_more(thread: MirroredThread) -> None:
    """The commit that records a file also drops it from the list of files to remove."""
    (file_id,) = thread.upload(b"x")

    thread.recorded(thread.say("look", file_ids=[file_id]))
    removed = remove_files(thread.stage.runtime)

    assert (_written_down(thread), removed, _stored(thread)) == ([], 0, [file_id])


@pytest.mark.parametrize("when", ["not yet renamed", "renamed"])
def test_file_of_a_killed_worker_goes_with_a_reply_that_never_came(
    thread: MirroredThread, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A killed worker's file is removed if its post is then deleted."""
    (file_id,) = thread.upload(b"passport")
    post = thread.say("look", file_ids=[file_id])
    reply_id = thread.receive(post.id)
    _run_dying_worker(thread, reply_id, when, monkeypatch)
    left_behind = _stored(thread)
    too_early = remove_files(thread.stage.runtime)

    thread.stage.member().delete_post(post.id)
    thread.resolve(reply_id)
    removed = remove_files(thread.stage.runtime)

    assert [name.partition(".")[0] for name in left_behind] == [file_id]
    assert (too_early, removed) == (0, 2)
    assert (_stored(thread), _written_down(thread)) == ([], [])


@pytest.mark.parametrize("when", ["not yet renamed", "renamed"])
def test_file_of_a_killed_worker_is_recorded_by_the_next_one(
    thread: MirroredThread, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next worker records a killed worker's reply whole, without leftovers."""
    (file_id,) = thread.upload(b"content")
    reply_id = thread.receive(thread.say("look", file_ids=[file_id]).id)
    _run_dying_worker(thread, reply_id, when, monkeypatch)

    thread.resolve(reply_id)
    remove_files(thread.stage.runtime)

    assert [file.path for file in thread.attachments(reply_id)] == [_path(file_id)]
    assert (_stored(thread), _written_down(thread)) == ([file_id], [])


def test_file_that_an_edit_takes_off_is_gone_from_the_store(thread: MirroredThread) -> None:
    """A file that an edit removes from the post is removed from the store."""
    kept, taken_off = thread.upload(b"keep", b"passport")
    row = thread.recorded(thread.say("two", file_ids=[kept, taken_off]))
    _edit(thread, row.post_id, message="one", file_ids=[kept])

    again = thread.ask_again(row.id)

    assert again.revision == 2
    assert (_stored(thread), _written_down(thread)) == ([kept], [])


def test_deletion_is_told_at_once_and_its_files_go_when_the_store_is_back(
    thread: MirroredThread,
) -> None:
    """A deletion is told at once, and its files are removed when the store is back."""
    (file_id,) = thread.upload(b"passport")
    row = thread.recorded(thread.say("look", file_ids=[file_id]))
    thread.stage.member().delete_post(row.post_id)
    _store_is_away(thread)

    gone = thread.ask_again(row.id)
    still_there, failed = _stored(thread), remove_files(thread.stage.runtime)
    _store_is_back(thread)
    removed = remove_files(thread.stage.runtime)

    assert (gone.state, gone.revision, thread.attachments(row.id)) == (ReplyState.DELETED, 2, [])
    assert (still_there, failed, removed) == ([file_id], 0, 1)
    assert (_stored(thread), _written_down(thread)) == ([], [])


def test_edit_is_told_at_once_and_its_file_goes_when_the_store_is_back(
    thread: MirroredThread,
) -> None:
    """An edit is told at once, and a file that it removed is deleted when the store is back."""
    (taken_off,) = thread.upload(b"passport")
    row = thread.recorded(thread.say("one", file_ids=[taken_off]))
    _edit(thread, row.post_id, message="none", file_ids=[])
    _store_is_away(thread)

    again = thread.ask_again(row.id)
    _store_is_back(thread)
    remove_files(thread.stage.runtime)

    assert (again.state, again.revision, again.text) == (ReplyState.RECORDED, 2, "none")
    assert (_stored(thread), _written_down(thread)) == ([], [])


def test_file_that_a_reply_has_is_never_removed(thread: MirroredThread) -> None:
    """A file that a reply has is never removed, even if its path is listed for removal."""
    (file_id,) = thread.upload(b"content")
    row = thread.recorded(thread.say("one", file_ids=[file_id]))
    with thread.database.autocommit() as connection:
        write_down(connection, licence_id=LICENCE, post_id=row.post_id, paths=[_path(file_id)])

    removed = remove_files(thread.stage.runtime)

    assert (removed, _stored(thread), _written_down(thread)) == (0, [file_id], [])


def test_files_that_were_not_written_down_stay(thread: MirroredThread) -> None:
    """Files that are not listed, such as i-Reserve's, stay."""
    (file_id,) = thread.upload(b"x")
    row = thread.recorded(thread.say("look", file_ids=[file_id]))
    theirs = thread.stage.store / LICENCE / CONVERSATION / "theirs"
    theirs.write_bytes(b"theirs")
    thread.stage.member().delete_post(row.post_id)

    thread.ask_again(row.id)
    remove_files(thread.stage.runtime)

    assert _stored(thread) == ["theirs"]


def test_file_in_the_hands_of_another_worker_is_left(thread: MirroredThread) -> None:
    """A file of a locked reply stays, since its worker may write the file again."""
    row = thread.recorded(thread.say("look", file_ids=thread.upload(b"x")))
    thread.stage.member().delete_post(row.post_id)
    _store_is_away(thread)
    thread.ask_again(row.id)
    _store_is_back(thread)

    with thread.stage.runtime.locks.of_reply(LICENCE, row.post_id):
        meanwhile = remove_files(thread.stage.runtime)
    afterwards = remove_files(thread.stage.runtime)

    assert (meanwhile, afterwards) == (0, 1)


def test_path_that_cannot_be_removed_holds_up_no_other(thread: MirroredThread) -> None:
    """A path that cannot be removed does not stop the others, and is tried later."""
    first, second = thread.upload(b"one", b"two")
    rows = [thread.recorded(thread.say("look", file_ids=[each])) for each in (first, second)]
    for row in rows:
        thread.stage.member().delete_post(row.post_id)
    _store_is_away(thread)
    for row in rows:
        thread.ask_again(row.id)
    in_the_way = thread.stage.store / _path(first)
    in_the_way.unlink()
    (in_the_way / "theirs").mkdir(parents=True)
    runtime = thread.stage.runtime
    store = AttachmentStore(f"file://{thread.stage.store}")

    done = remove_unowned(RemovalContext(runtime.database, store, runtime.locks))

    assert (done.files, done.failed) == (1, 1)
    assert _written_down(thread) == [_path(first)]
    assert not (thread.stage.store / _path(second)).exists()


def test_licence_leaves_no_file_behind(
    thread: MirroredThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Removing a licence removes all its files, also of killed workers."""
    thread.recorded(thread.say("look", file_ids=thread.upload(b"x")))
    waiting = thread.receive(thread.say("again", file_ids=thread.upload(b"y")).id)
    _run_dying_worker(thread, waiting, "renamed", monkeypatch)
    before = _stored(thread)

    Operator(thread.stage.runtime.settings).json("licence", "remove", LICENCE, "--yes")

    assert len(before) == 2
    assert (_stored(thread), _written_down(thread)) == ([], [])
