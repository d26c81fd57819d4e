"""The files of a reply are streamed into the attachment store, whole or not at all."""

from __future__ import annotations

import hashlib
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from models import ReplyState, Visibility
from tasks.attachments import AttachmentError
from tasks.attachments.store import AttachmentStore
from tasks.mattermost import FileInfo, MattermostClient, Post
from tasks.replies.backoff import PostponedError
from tasks.replies.files import Fetching, File, fetch_files
from tests.stage.stage import LICENCE, Stage
from tests.stage.thread import CONVERSATION, MirroredThread
from tests.wire import Answer, Request, WireServer, http

pytestmark = pytest.mark.one_database

LIMIT_BYTES = 1_000
MEGABYTE = 1024 * 1024


@pytest.fixture
def thread(stage: Stage) -> MirroredThread:
    """A conversation with its thread."""
    return MirroredThread.open(stage)


def _path(file_id: str) -> str:
    return f"{LICENCE}/{CONVERSATION}/{file_id}"


def test_files_are_stored_in_the_order_of_their_upload(thread: MirroredThread) -> None:
    """Files are stored in order, by licence, conversation and file, with their hash."""
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


def test_file_alone_is_a_reply(thread: MirroredThread) -> None:
    """A reply with only a file has an empty text."""
    row = thread.recorded(thread.say(file_ids=thread.upload(b"x")))

    assert (row.state, row.text, row.plain_text, row.visibility) == (
        ReplyState.RECORDED,
        "",
        "",
        Visibility.PUBLIC,
    )


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
    """While the store cannot be written, the reply is told at once and the file later."""
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
    # The sweep repeats the attempt while the store is away, and nothing is told twice.
    assert (still.state, still.revision, still.reason) == (
        ReplyState.RECEIVED,
        1,
        "store_unavailable",
    )
    assert still.next_attempt_at > still.received_at
    assert (afterwards.state, afterwards.revision, file.reason) == (ReplyState.RECORDED, 2, None)
    assert file.path is not None


def test_name_leads_nowhere_and_the_path_holds_ids_alone(thread: MirroredThread) -> None:
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


def _fetching(url: str, store: Path, **more: Any) -> Fetching:
    arguments = {
        "client": MattermostClient(url, "a" * 26, read_timeout_s=0.5),
        "store": AttachmentStore(f"file://{store}"),
        "licence_id": "L/1",
        "conversation_id": "..",
        "limit_bytes": LIMIT_BYTES,
        "known": {},
        "is_last": True,
        "extend": lambda: None,
        "write_down": lambda paths: None,
    }
    return Fetching(**{**arguments, **more})


def _post(size_bytes: int) -> Post:
    file = {"id": "f1", "name": "a.txt", "mime_type": "text/plain", "size": size_bytes}
    return Post.parse(
        {"id": "p1", "channel_id": "c1", "file_ids": ["f1"], "metadata": {"files": [file]}}
    )


def _cut_after(*pieces: bytes, length: int, wait_s: float = 0.0) -> Answer:
    def answer(request: Request, connection: socket.socket) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\r\n"
        connection.sendall(head.encode())
        for piece in pieces:
            connection.sendall(piece)
        time.sleep(wait_s)

    return answer


def _files_in(store: Path) -> list[str]:
    return [str(each.relative_to(store)) for each in store.rglob("*") if each.is_file()]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(_cut_after(b"x" * 50, length=100), "connection_cut", id="cut in the middle"),
        pytest.param(_cut_after(b"x", length=100, wait_s=1.0), "timeout", id="stalled"),
        pytest.param(
            http(200, b"x" * 99, content_type="text/plain"), "download_failed", id="short"
        ),
        pytest.param(
            http(200, b"x" * 2_000, content_type="text/plain"), "too_large", id="larger than said"
        ),
        pytest.param(http(404, b'{"id":"app.file_info.get.app_error"}'), "gone", id="gone"),
        pytest.param(
            http(403, b'{"id":"api.context.permissions.app_error"}'), "not_a_member", id="refused"
        ),
    ],
)
def test_file_that_cannot_be_had_leaves_nothing_in_the_store(
    tmp_path: Path, answer: Answer | bytes, reason: str
) -> None:
    """A failed file leaves nothing in the store, and its reason is recorded."""
    reply = answer if callable(answer) else lambda request, connection: answer
    with WireServer(reply) as server:
        (file,) = fetch_files(_fetching(server.url, tmp_path), _post(100))

    assert file == File("f1", "a.txt", "text/plain", 100, reason=reason)
    assert _files_in(tmp_path) == []


def test_file_that_breaks_off_may_come_later(tmp_path: Path) -> None:
    """Before the last attempt, no file is recorded as missing."""
    with (
        WireServer(_cut_after(b"x" * 50, length=100)) as server,
        pytest.raises(PostponedError, match="connection_cut"),
    ):
        fetch_files(_fetching(server.url, tmp_path, is_last=False), _post(100))


def test_ids_cannot_lead_out_of_the_store(tmp_path: Path) -> None:
    """A conversation with the id ".." has its own folder in the store."""
    answer = http(200, b"x" * 100, content_type="text/plain")
    with WireServer(lambda request, connection: answer) as server:
        (file,) = fetch_files(_fetching(server.url, tmp_path), _post(100))

    assert file.path == "L%2F1/%2E%2E/f1"
    assert _files_in(tmp_path) == [file.path]


def test_very_long_id_still_makes_a_file_name(tmp_path: Path) -> None:
    """An id of 1,200 bytes still gives a valid file name."""
    long_id = "💬" * 100
    answer = http(200, b"x" * 100, content_type="text/plain")
    with WireServer(lambda request, connection: answer) as server:
        (file,) = fetch_files(_fetching(server.url, tmp_path, conversation_id=long_id), _post(100))

    assert len(quote(long_id)) == 1_200
    assert file.reason is None
    assert _files_in(tmp_path) == [file.path]


def test_lock_is_extended_while_a_file_comes_in(tmp_path: Path) -> None:
    """The reply's lock is extended during a long download."""
    calls: list[None] = []
    size = 4 * MEGABYTE
    answer = _cut_after(*[b"x" * MEGABYTE] * 4, length=size)
    with WireServer(answer) as server:
        fetching = _fetching(
            server.url, tmp_path, limit_bytes=size, extend=lambda: calls.append(None)
        )
        (file,) = fetch_files(fetching, _post(size))

    assert file.reason is None
    assert len(calls) >= size // (64 * 1024)


@pytest.mark.parametrize("act", ["write", "remove", "find"])
def test_no_link_leads_a_file_of_a_reply_out_of_the_store(tmp_path: Path, act: str) -> None:
    """A folder that links out of the store is refused, and its target stays unchanged."""
    outside, home = tmp_path / "outside", tmp_path / "store"
    outside.mkdir()
    home.mkdir()
    (outside / "a.txt").write_bytes(b"kept")
    (home / "c1").symlink_to(outside)
    store = AttachmentStore(f"file://{home}")
    acts: dict[str, Callable[[], object]] = {
        "write": lambda: store.write("c1/a.txt", [b"new"], temporary="c1/a.txt.part"),
        "remove": lambda: store.remove("c1/a.txt"),
        "find": lambda: store.find("c1/a.txt", size_bytes=4, on_progress=lambda: None),
    }

    with pytest.raises(AttachmentError, match="outside_store"):
        acts[act]()

    assert (outside / "a.txt").read_bytes() == b"kept"
    assert _files_in(outside) == ["a.txt"]


def test_file_of_a_reply_can_be_read_by_the_path_that_writing_returned(tmp_path: Path) -> None:
    """A stored file of a reply can be opened for a message by its path."""
    store = AttachmentStore(f"file://{tmp_path}")

    stored = store.write("L1/c1/f1", [b"he", b"llo"], temporary="L1/c1/f1.part")
    with store.open(stored.path) as file:
        content = file.stream.read()

    assert (content, stored.size_bytes, stored.sha256) == (
        b"hello",
        5,
        hashlib.sha256(b"hello").hexdigest(),
    )


def test_store_without_a_scheme_is_no_store() -> None:
    """A store's address without a scheme is refused."""
    with pytest.raises(AttachmentError, match="store_unavailable"):
        AttachmentStore("var/files").remove("a")


def test_list_that_lacks_the_files_details_is_completed(thread: MirroredThread) -> None:
    """If a post has only a file's id, the file's metadata is requested."""
    (file_id,) = thread.upload(b"x")
    post = thread.say("x", file_ids=[file_id])
    bare = Post.parse({"id": post.id, "channel_id": post.channel_id, "file_ids": [file_id]})
    client = thread.stage.bot()
    info = FileInfo.parse({"id": file_id, "name": "1.txt"})

    (file,) = fetch_files(
        _fetching(thread.stage.stand_in.url, thread.stage.store, client=client), bare
    )

    assert (file.name, file.size_bytes, file.reason) == (info.name, 1, None)
