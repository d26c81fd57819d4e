"""A reply's files are stored whole and recorded, or the reason why not is recorded."""

from __future__ import annotations

import hashlib

import pytest

from models import ReplyState
from tasks.replies.files import File
from tests.stage.stage import LICENCE
from tests.stage.thread import CONVERSATION, MirroredThread

pytestmark = pytest.mark.one_database


def _path(file_id: str) -> str:
    return f"{LICENCE}/{CONVERSATION}/{file_id}"


def test_files_are_stored_in_the_order_of_their_upload(thread: MirroredThread) -> None:
    """Files are recorded in order with their hash, and stored by licence, conversation and file."""
    contents = [b"first", b"second", b"third"]
    file_ids = thread.upload(*contents)

    row = thread.recorded(thread.say("three files", file_ids=file_ids))

    files = [File.of_row(each) for each in thread.attachments(row.id)]
    assert files == [
        File(
            file_id,
            f"{number}.txt",
            "text/plain; charset=utf-8",
            len(content),
            hashlib.sha256(content).hexdigest(),
            _path(file_id),
        )
        for number, (file_id, content) in enumerate(zip(file_ids, contents, strict=True), 1)
    ]
    assert [(thread.stage.store / _path(each)).read_bytes() for each in file_ids] == contents


def test_file_that_is_there_is_not_fetched_again(thread: MirroredThread) -> None:
    """A file that a dead worker stored is recognized by its size and not fetched again."""
    (file_id,) = thread.upload(b"content")
    place = thread.stage.store / _path(file_id)
    place.parent.mkdir(parents=True)
    place.write_bytes(b"content")

    row = thread.recorded(thread.say("x", file_ids=[file_id]))

    (file,) = thread.attachments(row.id)
    assert (file.path, file.sha256) == (_path(file_id), hashlib.sha256(b"content").hexdigest())
    assert thread.asked(f"/files/{file_id}") == 0


def test_file_of_another_size_is_fetched_again(thread: MirroredThread) -> None:
    """A stored file of another size is replaced."""
    (file_id,) = thread.upload(b"content")
    place = thread.stage.store / _path(file_id)
    place.parent.mkdir(parents=True)
    place.write_bytes(b"half")

    thread.recorded(thread.say("x", file_ids=[file_id]))

    assert place.read_bytes() == b"content"


def test_too_large_file_costs_only_itself(thread: MirroredThread) -> None:
    """A file that is too large is not fetched, and its row has the reason."""
    thread.change_licence(max_file_size_bytes=5)
    small, large = thread.upload(b"small", b"larger")

    row = thread.recorded(thread.say("two", file_ids=[small, large]))

    files = thread.attachments(row.id)
    assert [(each.file_id, each.reason) for each in files] == [(small, None), (large, "too_large")]
    assert thread.asked(f"/files/{large}") == 0


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        pytest.param("down", "connection_cut", id="cut connection"),
        pytest.param("error_500", "server_error", id="failing server"),
        pytest.param("accept_then_drop", "connection_cut", id="cut answer"),
    ],
)
def test_file_that_breaks_off_is_tried_three_times_with_its_reply(
    thread: MirroredThread, fault: str, reason: str
) -> None:
    """After three broken downloads the reply is recorded without the file."""
    post = thread.say("look", file_ids=thread.upload(b"x"))
    reply_id = thread.receive(post.id)
    states = []

    with thread.fault(fault, scope="files"):
        for _ in range(3):
            thread.resolve(reply_id)
            row = thread.reply(reply_id)
            states.append(row and (row.state, row.attempts))
            thread.stage.runtime.circuits.close(LICENCE)

    (file,) = thread.attachments(reply_id)
    assert states == [
        (ReplyState.RECEIVED, 1),
        (ReplyState.RECEIVED, 2),
        (ReplyState.RECORDED, 0),
    ]
    assert (file.reason, file.path, file.sha256) == (reason, None, None)


def test_file_that_comes_the_second_time_is_recorded(thread: MirroredThread) -> None:
    """A file that comes at the second attempt is recorded."""
    reply_id = thread.receive(thread.say("look", file_ids=thread.upload(b"x")).id)

    with thread.fault("accept_then_drop", scope="files", times=1):
        thread.resolve(reply_id)
    thread.resolve(reply_id)

    assert [each.reason for each in thread.attachments(reply_id)] == [None]


def test_files_follow_when_the_store_is_back(thread: MirroredThread) -> None:
    """While the store cannot be written, the reply is recorded at once, and its file later."""
    reply_id = thread.receive(thread.say("look", file_ids=thread.upload(b"x")).id)
    in_the_way = thread.stage.store / LICENCE
    in_the_way.write_text("in the way")

    thread.resolve(reply_id)
    at_once, (without,) = thread.reply(reply_id), thread.attachments(reply_id)
    for _ in range(5):
        thread.resolve(reply_id)
    still = thread.reply(reply_id)
    in_the_way.unlink()
    thread.resolve(reply_id)
    afterwards, (file,) = thread.reply(reply_id), thread.attachments(reply_id)

    assert at_once is not None
    assert still is not None
    assert afterwards is not None
    assert (at_once.text, at_once.revision, without.reason) == ("look", 1, "store_unavailable")
    # Further attempts while the store is away make no new revision, so nothing is told twice.
    assert (still.state, still.revision, still.reason) == (
        ReplyState.RECEIVED,
        1,
        "store_unavailable",
    )
    assert still.next_attempt_at > still.received_at
    assert (afterwards.state, afterwards.revision, file.reason) == (ReplyState.RECORDED, 2, None)
    assert file.path is not None


def test_path_has_only_ids(thread: MirroredThread) -> None:
    """A file's path has only ids, whatever its name."""
    member = thread.stage.member()
    name = "..\\..\\evil\x01.txt"
    file = member.upload_file(
        channel_id=thread.stage.channel_id, name=name, stream=_Zeros(4), size_bytes=4
    )

    row = thread.recorded(thread.say("x", file_ids=[file.id]))

    (recorded,) = thread.attachments(row.id)
    assert (recorded.name, recorded.path) == ("evil.txt", _path(file.id))


class _Zeros:
    """A number of zero bytes, generated as they are read."""

    def __init__(self, size_bytes: int) -> None:
        self._left = size_bytes

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` zero bytes."""
        piece = bytes(min(size, self._left))
        self._left -= len(piece)
        return piece
