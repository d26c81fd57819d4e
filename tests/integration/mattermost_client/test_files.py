"""Uploads and downloads are streamed, also with wrong sizes and broken transfers."""

import socket
import threading
from io import BytesIO

import pytest

from tasks.mattermost import (
    MattermostClient,
    OutcomeUnknownError,
    Reason,
    RefusedError,
)
from tests.integration.mattermost_client.calls import (
    CHANNEL,
    FILE,
    TOKEN,
    Zeros,
    client_of,
    json_answer,
)
from tests.wire import Request, WireServer, always, http


def test_a_file_goes_up_raw_with_its_length() -> None:
    """An upload has the file as its body and the name in the query, and reports progress."""
    content = bytes(range(256)) * 4_000
    answer = json_answer({"file_infos": [FILE], "client_ids": None}, 201)
    told: list[int] = []

    with WireServer(always(answer)) as server, client_of(server) as client:
        info = client.upload_file(
            channel_id=CHANNEL,
            name="é & ü.png",
            stream=BytesIO(content),
            size_bytes=len(content),
            on_progress=lambda: told.append(1),
        )

    [request] = server.requests
    assert info.id == "f1"
    assert request.target == (f"/api/v4/files?channel_id={CHANNEL}&filename=%C3%A9+%26+%C3%BC.png")
    assert request.headers["content-type"] == "application/octet-stream"
    assert request.headers["content-length"] == str(len(content))
    assert "transfer-encoding" not in request.headers
    assert request.body == content[: len(request.body)]
    assert request.body_size == len(content)
    assert len(told) == 4


def test_no_more_goes_up_than_was_announced() -> None:
    """A file that grows during the upload does not spill into the next request."""
    answer = json_answer({"file_infos": [FILE]}, 201)
    with WireServer(always(answer)) as server, client_of(server) as client:
        for _ in range(2):
            client.upload_file(
                channel_id=CHANNEL, name="a", stream=BytesIO(b"12345678"), size_bytes=5
            )

    assert [request.body for request in server.requests] == [b"12345", b"12345"]


@pytest.mark.parametrize(("content", "size_bytes"), [(b"", 0), (b"123", 5)], ids=["empty", "short"])
def test_a_stream_that_is_not_its_size_is_a_fault_of_the_caller(
    content: bytes, size_bytes: int
) -> None:
    """A stream shorter than its size is the caller's error, not a MattermostError."""
    with (
        WireServer(always(json_answer({}))) as server,
        client_of(server) as client,
        pytest.raises(ValueError, match=r"upload of no bytes|ended before"),
    ):
        client.upload_file(
            channel_id=CHANNEL, name="a", stream=BytesIO(content), size_bytes=size_bytes
        )


def test_what_progress_raises_passes_through() -> None:
    """An error of the progress callback, such as a lost lane, ends the upload unchanged."""

    class LostError(Exception):
        """The caller's own error."""

    def lose() -> None:
        raise LostError

    with (
        WireServer(always(json_answer({}))) as server,
        client_of(server) as client,
        pytest.raises(LostError),
    ):
        client.upload_file(
            channel_id=CHANNEL, name="a", stream=BytesIO(b"x"), size_bytes=1, on_progress=lose
        )


def test_a_refusal_in_the_middle_of_an_upload_is_heard() -> None:
    """A 413 during an upload is read, even if the server has not read the whole file."""
    size = 64 * 1024 * 1024
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_refuse_early, args=(listener,))
        thread.start()
        with (
            MattermostClient(f"http://127.0.0.1:{listener.getsockname()[1]}", TOKEN) as client,
            pytest.raises(RefusedError) as caught,
        ):
            client.upload_file(channel_id=CHANNEL, name="a", stream=Zeros(), size_bytes=size)
        thread.join()

    assert caught.value.reason is Reason.TOO_LARGE


def _refuse_early(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(1024)
        connection.sendall(http(413, b"<html>", content_type="text/html"))
        connection.shutdown(socket.SHUT_WR)
        # As proxies do: read and drop the rest until the client stops.
        connection.settimeout(0.5)
        try:
            while connection.recv(1024 * 1024):
                pass
        except OSError:
            return


def test_a_file_comes_down_in_chunks() -> None:
    """A download gives size, type and bytes in chunks, and the connection is used again."""
    content = b"x" * 300_000
    answer = http(200, content, content_type="image/png")
    with WireServer(always(answer)) as server, client_of(server) as client:
        for _ in range(2):
            with client.download_file("f1") as download:
                chunks = list(download.chunks)

    assert (download.size_bytes, download.content_type) == (300_000, "image/png")
    assert b"".join(chunks) == content
    assert max(map(len, chunks)) <= 64 * 1024
    assert server.connection_count == 1


def test_a_file_that_is_gone_is_not_found() -> None:
    """The refusal of a download is raised before any byte is read."""
    answer = http(404, b'{"id":"app.file_info.get.app_error"}')
    with (
        WireServer(always(answer)) as server,
        client_of(server) as client,
        pytest.raises(RefusedError) as caught,
        client.download_file("f1"),
    ):
        pass

    assert caught.value.reason is Reason.NOT_FOUND


def test_a_page_is_not_taken_for_a_file() -> None:
    """The web client's page, as for a wrong subpath, is not taken for a file."""
    answer = http(200, b"<html></html>", content_type="text/html; charset=utf-8")
    with (
        WireServer(always(answer)) as server,
        client_of(server) as client,
        pytest.raises(RefusedError) as caught,
        client.download_file("f1"),
    ):
        pass

    assert caught.value.reason is Reason.NOT_MATTERMOST


def test_a_download_that_breaks_off_is_not_taken_for_whole() -> None:
    """Fewer bytes than announced are an error, not a shorter file."""
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\n12345"

    def break_off(request: Request, connection: socket.socket) -> None:
        connection.sendall(raw)

    with (
        WireServer(break_off) as server,
        client_of(server) as client,
        pytest.raises(OutcomeUnknownError) as caught,
        client.download_file("f1") as download,
    ):
        list(download.chunks)

    assert caught.value.reason is Reason.CONNECTION_CUT
