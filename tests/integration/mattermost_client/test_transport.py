"""If an answer is cut off, huge or contradictory, the outcome is open."""

import socket
import ssl
import time

import pytest
import trustme

from tasks.mattermost import (
    MattermostClient,
    OutcomeUnknownError,
    Reason,
)
from tasks.mattermost.transport import ONE_ANSWER_BYTES
from tests.integration.mattermost_client.calls import (
    CHANNEL,
    POST,
    TOKEN,
    Zeros,
    client_of,
    json_answer,
    post_once,
)
from tests.wire import Request, WireServer, always, http


def test_tls_that_is_cut_after_the_request_leaves_the_outcome_open(
    tls: ssl.SSLContext, authority: trustme.CA
) -> None:
    """TLS cut after the request leaves the outcome open, unlike a failed handshake."""
    with (
        authority.cert_pem.tempfile() as bundle,
        WireServer(always(None), tls=tls) as server,
        client_of(server, ca_bundle=bundle) as client,
        pytest.raises(OutcomeUnknownError) as caught,
    ):
        post_once(client)

    assert caught.value.reason is Reason.CONNECTION_CUT
    assert len(server.requests) == 1


def test_a_cut_after_the_request_leaves_the_outcome_open() -> None:
    """A connection that ends without an answer leaves the outcome open."""
    with (
        WireServer(always(None)) as server,
        client_of(server) as client,
        pytest.raises(OutcomeUnknownError) as caught,
    ):
        post_once(client)

    assert caught.value.reason is Reason.CONNECTION_CUT
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"HTTP/1.1 201 Created\r\nContent-Length: 50\r\n\r\n{", id="short-body"),
        pytest.param(b"HTTP/1.1 201 Created\r\n", id="short-head"),
        pytest.param(
            b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"
            b'Connection: close\r\n\r\n{"id": "p',
            id="no-length",
        ),
        pytest.param(
            b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"
            b'Transfer-Encoding: chunked\r\n\r\n5\r\n{"id"',
            id="short-chunk",
        ),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", id="not-http"),
    ],
)
def test_an_answer_that_breaks_off_leaves_the_outcome_open(raw: bytes) -> None:
    """Half an answer leaves the outcome open."""

    def break_off(request: Request, connection: socket.socket) -> None:
        connection.sendall(raw)

    with (
        WireServer(break_off) as server,
        client_of(server) as client,
        pytest.raises(OutcomeUnknownError) as caught,
    ):
        post_once(client)

    assert caught.value.reason is Reason.CONNECTION_CUT


def test_a_huge_answer_is_not_read() -> None:
    """An answer beyond the limit is given up."""
    with (
        WireServer(always(http(200, b" " * (ONE_ANSWER_BYTES + 1)))) as server,
        client_of(server) as client,
        pytest.raises(OutcomeUnknownError) as caught,
    ):
        client.get_me()

    assert caught.value.reason is Reason.ANSWER_TOO_LARGE


def test_a_server_that_takes_no_bytes_leaves_the_outcome_open() -> None:
    """An upload that stalls ends after the read timeout."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with (
            MattermostClient(url, TOKEN, read_timeout_s=0.3) as client,
            pytest.raises(OutcomeUnknownError) as caught,
        ):
            client.upload_file(channel_id=CHANNEL, name="a", stream=Zeros(), size_bytes=2**30)

    assert caught.value.reason is Reason.TIMEOUT


@pytest.mark.parametrize("status", [100, 101, 102, 103, 199])
def test_an_answer_that_others_come_before_is_the_answer(status: int) -> None:
    """The answer after interim answers is used, and the next request gets its own."""
    numbers = iter(range(1, 9))

    def answer(request: Request, connection: socket.socket) -> bytes:
        for _ in range(2):
            connection.sendall(f"HTTP/1.1 {status} Wait\r\nLink: </a>\r\n\r\n".encode())
        # Wait, so that the client has read the interim answers before the answer comes.
        time.sleep(0.1)
        return json_answer(POST | {"id": f"p{next(numbers)}"}, 201)

    with WireServer(answer) as server, client_of(server) as client:
        posts = [client.create_post(channel_id=CHANNEL, message="x") for _ in range(3)]

    assert [post.id for post in posts] == ["p1", "p2", "p3"]


@pytest.mark.parametrize("lengths", [("2", "500"), ("-5", "7")], ids=str)
def test_an_answer_that_contradicts_itself_leaves_the_outcome_open(
    lengths: tuple[str, ...],
) -> None:
    """A contradictory answer to a request leaves the outcome open."""
    headers = "".join(f"Content-Length: {length}\r\n" for length in lengths)
    raw = f"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n{headers}\r\n{{}}".encode()
    with (
        WireServer(always(raw)) as server,
        client_of(server, read_timeout_s=1) as client,
        pytest.raises(OutcomeUnknownError),
    ):
        post_once(client)
