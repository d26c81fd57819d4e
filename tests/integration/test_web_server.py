"""The web process's server limits slow clients and large requests, and stops in order."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import requests
from flask import Flask, request

from inbound.server import MAX_HEADER_BYTES, MAX_REQUEST_BYTES, WebServer
from tests.waiting import wait_until

# More than the kernel buffers for a client that does not read.
LARGE_BYTES = 10_000_000
THREADS = 2
HALF_HEADER = b"POST /length HTTP/1.1\r\nHost: web\r\nX-a: "
HALF_BODY = b"POST /length HTTP/1.1\r\nHost: web\r\nContent-Length: 100\r\n\r\n1"
HALF_CHUNK = b"POST /length HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"
UNREAD = b"GET /large HTTP/1.1\r\nHost: web\r\n\r\n"
SLOW = {"header": HALF_HEADER, "body": HALF_BODY, "chunk": HALF_CHUNK, "nothing": b""}


def application(gate: threading.Event) -> Flask:
    """Return an application with an address of each kind; ``/wait`` answers when the gate opens."""
    app = Flask("web")
    app.get("/", endpoint="quick")(lambda: "quick")
    app.get("/large", endpoint="large")(lambda: b"x" * LARGE_BYTES)
    app.post("/length", endpoint="length")(lambda: str(len(request.get_data())))

    @app.get("/wait")
    def wait() -> str:
        gate.wait(20)
        return "waited"

    return app


class Served:
    """A running server and its address."""

    def __init__(self, server: WebServer, gate: threading.Event) -> None:
        self.server = server
        self.gate = gate
        self.url = f"http://127.0.0.1:{server.effective_port}"
        self.connections: list[socket.socket] = []
        self.thread = threading.Thread(target=server.run)
        self.thread.start()

    def connect(self, sent: bytes) -> socket.socket:
        """Open a connection and send only this."""
        connection = socket.socket()
        self.connections.append(connection)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.settimeout(20)
        connection.connect(("127.0.0.1", int(self.server.effective_port)))
        connection.sendall(sent)
        return connection

    def answer(self, sent: bytes) -> bytes:
        """Send this, and return all bytes until the server closes the connection."""
        return received(self.connect(sent))

    def quick(self) -> str:
        """Send a request that is answered at once."""
        return requests.get(f"{self.url}/", timeout=2).text


def received(connection: socket.socket) -> bytes:
    """Return all bytes until the server closes the connection."""
    pieces = []
    while piece := connection.recv(65_536):
        pieces.append(piece)
    return b"".join(pieces)


@contextmanager
def serving(**limits: Any) -> Iterator[Served]:
    """Run a server with these limits for the block."""
    gate = threading.Event()
    served = Served(
        WebServer(application(gate), host="127.0.0.1", port=0, threads=THREADS, **limits), gate
    )
    try:
        yield served
    finally:
        gate.set()
        for connection in served.connections:
            connection.close()
        served.server.stop()
        served.thread.join(20)


@pytest.mark.parametrize("sent", [*SLOW.values(), UNREAD], ids=[*SLOW, "reading nothing"])
def test_slow_clients_take_no_thread(sent: bytes) -> None:
    """Ten times as many slow clients as threads do not delay a request."""
    with serving() as served:
        for _ in range(10 * THREADS):
            served.connect(sent)

        assert served.quick() == "quick"


@pytest.mark.parametrize("sent", SLOW.values(), ids=SLOW)
def test_silent_client_is_closed(sent: bytes) -> None:
    """A silent client's connection is closed without an answer."""
    with serving(silence_s=1) as served:
        answer = served.answer(sent)

    assert answer == b""


@pytest.mark.parametrize("sent", [HALF_HEADER, HALF_BODY], ids=["header", "body"])
def test_dripping_client_is_closed(sent: bytes) -> None:
    """A client that sends single bytes is closed after the connection's time."""
    with serving(connection_s=1) as served:
        connection = served.connect(sent)
        connection.settimeout(0.2)

        def is_closed() -> bool:
            try:
                connection.sendall(b"a")
                return connection.recv(1) == b""
            except TimeoutError:
                return False
            except ConnectionError:
                return True

        wait_until(is_closed, timeout_s=10, what="the server to close the connection")


def test_client_that_reads_nothing_is_closed() -> None:
    """A client that does not read its answer is closed after the connection's time."""
    with serving(connection_s=1) as served:
        connection = served.connect(UNREAD)

        wait_until(lambda: served.server.active_channels, what="the connection")
        wait_until(lambda: not served.server.active_channels, what="its end")

        assert 0 < len(_drained(connection)) < LARGE_BYTES


def _drained(connection: socket.socket) -> bytes:
    pieces = []
    with suppress(ConnectionError):
        while piece := connection.recv(65_536):
            pieces.append(piece)
    return b"".join(pieces)


def test_new_client_gets_the_place_of_the_oldest_slow_one() -> None:
    """With all places taken, a new request closes the oldest slow client and is answered."""
    with serving(max_connections=5) as served:
        slow = [served.connect(HALF_HEADER) for _ in range(5)]
        wait_until(lambda: len(served.server.active_channels) == 5, what="five connections")

        answer = served.quick()

        assert answer == "quick"
        assert received(slow[0]) == b""
        wait_until(lambda: len(served.server.active_channels) == 4, what="the others alone")


def test_connection_carries_one_request() -> None:
    """A connection is closed after its first request, and further ones are dropped."""
    with serving() as served:
        answer = served.answer(b"GET / HTTP/1.1\r\nHost: web\r\n\r\n" * 20)

    assert answer.count(b"HTTP/1.1 200 OK") == 1
    assert b"Connection: close" in answer


TOO_MUCH = {
    "header": (
        b"GET / HTTP/1.1\r\nX-a: " + b"a" * (2 * MAX_HEADER_BYTES),
        b"HTTP/1.0 431",
    ),
    "announced body": (
        b"POST /length HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % MAX_REQUEST_BYTES,
        b"HTTP/1.1 413",
    ),
    "chunked body": (
        b"POST /length HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        + (b"1000\r\n" + b"a" * 4_096 + b"\r\n") * (MAX_REQUEST_BYTES // 4_096 + 1),
        b"HTTP/1.1 413",
    ),
    "no length": (b"POST /length HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"HTTP/1.1 400"),
    "no http": (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", b"HTTP/1.0 400"),
}


@pytest.mark.parametrize(("sent", "status"), TOO_MUCH.values(), ids=TOO_MUCH)
def test_request_over_a_limit_is_refused(sent: bytes, status: bytes) -> None:
    """A request that is too large or not HTTP is refused with the right status."""
    with serving() as served:
        connection = served.connect(b"")

        _send_all(connection, sent)

        assert _drained(connection).startswith(status)
        assert served.quick() == "quick"


def _send_all(connection: socket.socket, sent: bytes) -> None:
    # The server may have read enough and closed the connection.
    with suppress(ConnectionError):
        connection.sendall(sent)


def test_length_with_too_many_digits_ends_its_own_connection_alone() -> None:
    """A Content-Length of 5,000 digits ends only its own connection."""
    with serving() as served:
        answer = served.answer(
            b"POST /length HTTP/1.1\r\nContent-Length: " + b"9" * 5_000 + b"\r\n\r\n"
        )

        assert not answer.startswith(b"HTTP/1.1 200")
        assert served.quick() == "quick"


def test_stop_answers_what_is_under_way_and_takes_nothing_new() -> None:
    """A stopping server answers running requests, and does not wait for slow clients."""
    with serving() as served:
        served.connect(HALF_BODY)
        under_way = served.connect(b"GET /wait HTTP/1.1\r\nHost: web\r\n\r\n")
        wait_until(
            lambda: any(each.requests for each in served.server.active_channels.values()),
            what="a thread that is at it",
        )

        served.server.stop()
        served.gate.set()

        assert received(under_way).endswith(b"waited")
        served.thread.join(10)
        assert not served.thread.is_alive()
