"""Each exchange with a server ends within its limits of time and bytes."""

import json
import socket
import ssl
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import trustme

from tasks.mattermost import (
    MattermostClient,
    MattermostError,
    NotSentError,
    OutcomeUnknownError,
    Reason,
    RefusedError,
)
from tasks.mattermost.connections import plain_session
from tasks.mattermost.exchange import SendTooLateError, Stopping
from tasks.mattermost.transport import LIST_ANSWER_BYTES
from tests.integration.mattermost_client.calls import CHANNEL, POST, TOKEN
from tests.integration.mattermost_client.slow_servers import IN_TIME_S, dripping, impatient_client
from tests.wire import Request, WireServer, always, http

CREATED = http(201, json.dumps(POST).encode())
OK = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
# For each part: the bytes that come first, and the bytes that are then repeated.
PARTS = {
    "nothing": (b"", b""),
    "status line": (b"HTTP/1.1 201 ", b"C"),
    "a header": (b"HTTP/1.1 201 Created\r\nX-a: ", b"a"),
    "headers": (b"HTTP/1.1 201 Created\r\n", b"X-a: a\r\n"),
    "100 Continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "103 Early Hints": (b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"),
    "a chunk's size line": (CHUNKED + b"5;", b"a"),
    "chunks": (CHUNKED, b"1\r\n \r\n"),
    "trailers": (CHUNKED + b"2\r\n{}\r\n0\r\n", b"X-a: a\r\n"),
    "body of known length": (OK + b"Content-Length: 900000000\r\n\r\n", b" "),
    "body to the end": (OK + b"Connection: close\r\n\r\n", b" "),
    "an error's body": (b"HTTP/1.1 500 Error\r\nContent-Length: 900000000\r\n\r\n", b" "),
}


@dataclass(frozen=True, slots=True)
class Way:
    """How a request is sent: with or without TLS, and on a new or a used connection."""

    tls: ssl.SSLContext | None
    bundle: str | None
    is_kept: bool


@pytest.fixture(params=["fresh", "kept", "tls"])
def way(
    request: pytest.FixtureRequest, authority: trustme.CA, tls: ssl.SSLContext
) -> Iterator[Way]:
    """A new connection, a used one, and a new one over TLS."""
    if request.param != "tls":
        yield Way(None, None, is_kept=request.param == "kept")
        return
    with authority.cert_pem.tempfile() as bundle:
        yield Way(tls, bundle, is_kept=False)


def _post(client: MattermostClient) -> None:
    client.create_post(channel_id=CHANNEL, message="hello")


@pytest.mark.parametrize("part", PARTS)
def test_a_server_that_drips_is_given_up_in_time(part: str, way: Way) -> None:
    """One deadline holds for all parts of an answer, on new and used connections."""
    answer = dripping(*PARTS[part], every_s=0.05, kept=way.is_kept)
    with WireServer(answer, tls=way.tls) as server, impatient_client(server, way.bundle) as client:
        if way.is_kept:
            client.ping()

        began = time.monotonic()
        with pytest.raises(OutcomeUnknownError) as caught:
            _post(client)
        took_s = time.monotonic() - began

    assert caught.value.reason is Reason.TIMEOUT
    assert took_s < IN_TIME_S
    assert server.connection_count == 1
    assert [request.method for request in server.requests].count("POST") == 1


@pytest.mark.parametrize("part", [part for part in PARTS if part != "nothing"])
def test_a_server_that_floods_costs_neither_time_nor_memory(part: str) -> None:
    """The client reads only a limited size of each part of an answer, and ends in time."""
    first, again = PARTS[part]
    answer = dripping(first, again * (64 * 1024 // len(again)), every_s=0)
    with WireServer(answer) as server, impatient_client(server) as client:
        tracemalloc.start()
        began = time.monotonic()
        with pytest.raises(MattermostError) as caught:
            _post(client)
        took_s = time.monotonic() - began
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert isinstance(caught.value, OutcomeUnknownError)
    assert took_s < IN_TIME_S
    assert peak < 16 * 1024 * 1024


def test_a_compressed_answer_is_not_opened() -> None:
    """A compressed answer, which was not requested, is not decompressed."""
    answer = http(201, b"\x1f\x8b", headers={"Content-Encoding": "gzip"})
    with (
        WireServer(always(answer)) as server,
        impatient_client(server) as client,
        pytest.raises(RefusedError) as caught,
    ):
        _post(client)

    assert caught.value.reason is Reason.NOT_MATTERMOST


def test_a_stop_ends_an_exchange_that_has_begun() -> None:
    """A stopping worker ends its exchange after the grace time."""
    stopping = Stopping(grace_s=0.2)
    drip = dripping(b"", b"", every_s=0.05)

    def answer(request: Request, connection: socket.socket) -> bytes | None:
        stopping.set()
        return drip(request, connection)

    with (
        WireServer(answer) as server,
        MattermostClient(server.url, TOKEN, stopping=stopping) as client,
    ):
        began = time.monotonic()
        with pytest.raises(OutcomeUnknownError) as caught:
            _post(client)
        took_s = time.monotonic() - began
        with pytest.raises(NotSentError) as late:
            MattermostClient(server.url, TOKEN, stopping=stopping).ping()

    assert (caught.value.reason, late.value.reason) == (Reason.STOPPED, Reason.STOPPED)
    assert took_s < IN_TIME_S


def test_nothing_is_sent_after_send_by() -> None:
    """A process that was suspended too long sends nothing more."""
    with WireServer(always(CREATED)) as server, impatient_client(server) as client:
        with pytest.raises(SendTooLateError):
            client.create_post(channel_id=CHANNEL, message="x", send_by=time.monotonic() - 0.1)
        client.create_post(channel_id=CHANNEL, message="y", send_by=time.monotonic() + 60)

    assert [json.loads(request.body)["message"] for request in server.requests] == ["y"]


def _page(target: str) -> bytes:
    """Return the requested page of a channel with 40 posts of 150 kB."""
    query = dict(pair.split("=") for pair in target.partition("?")[2].split("&"))
    number, size = int(query.get("page", 0)), int(query["per_page"])
    ids = [f"p{n}" for n in range(40)][number * size : (number + 1) * size]
    posts = {each: POST | {"id": each, "message": "x" * 150_000} for each in ids}
    return json.dumps({"order": ids, "posts": posts}).encode()


def test_a_page_that_is_too_large_is_asked_for_in_smaller_ones() -> None:
    """A page over 4 MiB is requested in smaller pages until they fit, and comes whole."""
    asked: list[tuple[int, bool]] = []

    def answer(request: Request, connection: socket.socket) -> bytes:
        page = _page(request.target)
        per_page = int(request.target.rpartition("per_page=")[2])
        asked.append((per_page, len(page) <= LIST_ANSWER_BYTES))
        return http(200, page)

    with WireServer(answer) as server, MattermostClient(server.url, TOKEN) as client:
        posts = client.get_posts_page(CHANNEL, page=0, per_page=200)

    assert [post.id for post in posts] == [f"p{n}" for n in range(40)]
    assert asked == [(200, False), (100, False), (50, False), (25, True), (25, True)]


def test_a_call_without_bounds_fails_at_once() -> None:
    """A request without limits fails at once, so that the first test of its caller shows it."""
    with (
        WireServer(always(CREATED)) as server,
        plain_session(ca_bundle=None, proxy_url=None, pool_size=1) as session,
        pytest.raises(LookupError),
    ):
        session.get(server.url)
