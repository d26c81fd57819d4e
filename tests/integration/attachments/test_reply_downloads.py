"""A reply's file is downloaded into the store whole, or leaves nothing there."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tasks.attachments.store import AttachmentStore
from tasks.mattermost import FileInfo, MattermostClient, Post
from tasks.replies.backoff import PostponedError
from tasks.replies.files import Fetching, File, fetch_files
from tests.integration.attachments.calls import files_in
from tests.stage.thread import MirroredThread
from tests.wire import Answer, Request, WireServer, http

LIMIT_BYTES = 1_000
MEGABYTE = 1024 * 1024


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
    assert files_in(tmp_path) == []


def test_file_that_breaks_off_may_come_later(tmp_path: Path) -> None:
    """Before the last attempt, a broken download postpones the reply."""
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
    assert files_in(tmp_path) == [file.path]


def test_very_long_id_still_makes_a_file_name(tmp_path: Path) -> None:
    """An id of 1,200 bytes still gives a valid file name."""
    long_id = "💬" * 100
    answer = http(200, b"x" * 100, content_type="text/plain")
    with WireServer(lambda request, connection: answer) as server:
        (file,) = fetch_files(_fetching(server.url, tmp_path, conversation_id=long_id), _post(100))

    assert len(quote(long_id)) == 1_200
    assert file.reason is None
    assert files_in(tmp_path) == [file.path]


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


@pytest.mark.one_database
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
