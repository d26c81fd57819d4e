"""Each exchange with a server ends within its limits of time and bytes."""

import json
import socket
import ssl
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
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
from tasks.mattermost.exchange import LookupTimeoutError, SendTooLateError, Stopping
from tasks.mattermost.names import Address, Resolver
from tasks.mattermost.transport import LIST_ANSWER_BYTES
from tests.wire import Request, WireServer, always, http

TOKEN = "s3crettoken0123456789abcde"
CHANNEL = "wg5tsoszetb7dknio3uub93ypw"
POST = {"id": "p1", "channel_id": CHANNEL, "message": "hello", "create_at": 7}
CREATED = http(201, json.dumps(POST).encode())
# Never reached, since the tests are about exchanges on an existing connection. On a busy machine
# the two threads of this process need some time to connect.
CONNECT_S = 30.0
READ_S = 0.3
# A server here takes up to 60 s. The client gives up after its read timeout; the rest of this limit
# is for a busy machine.
IN_TIME_S = READ_S + 8

OK = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"

# The bytes that come first, and the bytes that then come repeatedly.
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


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """An authority that signs the test's certificate."""
    return trustme.CA()


@pytest.fixture(params=["fresh", "kept", "tls"])
def way(request: pytest.FixtureRequest, authority: trustme.CA) -> Iterator[Way]:
    """A new connection, a used one, and a new one over TLS."""
    if request.param != "tls":
        yield Way(None, None, is_kept=request.param == "kept")
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with authority.cert_pem.tempfile() as bundle:
        yield Way(context, bundle, is_kept=False)


@contextmanager
def _client(server: WireServer, bundle: str | None = None) -> Iterator[MattermostClient]:
    with MattermostClient(
        server.url, TOKEN, connect_timeout_s=CONNECT_S, read_timeout_s=READ_S, ca_bundle=bundle
    ) as client:
        yield client


def _post(client: MattermostClient) -> None:
    client.create_post(channel_id=CHANNEL, message="hello")


def _drip(
    first: bytes, again: bytes, *, every_s: float, kept: bool = False
) -> Callable[[Request, socket.socket], bytes | None]:
    """Answer with a part that never ends; a kept connection first gets a good answer."""

    def answer(request: Request, connection: socket.socket) -> bytes | None:
        if kept and request.method == "GET":
            return http(200, b'{"status": "OK"}')
        with suppress(OSError):
            connection.sendall(first)
            # 60 s at most: the client must give up long before.
            for _ in range(round(60 / every_s) if every_s else 10**9):
                connection.sendall(again)
                if every_s:
                    time.sleep(every_s)
        return None

    return answer


@pytest.mark.parametrize("part", PARTS)
def test_a_server_that_drips_is_given_up_in_time(part: str, way: Way) -> None:
    """One deadline holds for all parts of an answer, on new and used connections."""
    answer = _drip(*PARTS[part], every_s=0.05, kept=way.is_kept)
    with WireServer(answer, tls=way.tls) as server, _client(server, way.bundle) as client:
        if way.is_kept:
            client.ping()

        began = time.monotonic()
        with pytest.raises(OutcomeUnknownError) as caught:
            _post(client)
        took_s = time.monotonic() - began

    assert caught.value.reason is Reason.TIMEOUT
    assert took_s < IN_TIME_S
    assert server.connection_count == 1


@pytest.mark.parametrize("part", [part for part in PARTS if part != "nothing"])
def test_a_server_that_floods_costs_neither_time_nor_memory(part: str) -> None:
    """Of each part of an answer, only a limited size is kept."""
    first, again = PARTS[part]
    answer = _drip(first, again * (64 * 1024 // len(again)), every_s=0)
    with WireServer(answer) as server, _client(server) as client:
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
        _client(server) as client,
        pytest.raises(RefusedError) as caught,
    ):
        _post(client)

    assert caught.value.reason is Reason.NOT_MATTERMOST


class _Zeros:
    def read(self, size: int, /) -> bytes:
        """Return this number of zeros."""
        return b"\0" * size


@pytest.mark.parametrize("kept", [False, True], ids=["fresh", "kept"])
def test_an_upload_that_is_taken_by_drips_is_given_up(kept: bool) -> None:
    """The server must read each 256 KiB of an upload within the read timeout."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_take_by_drips, args=(listener, kept), daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with MattermostClient(url, TOKEN, read_timeout_s=READ_S) as client:
            if kept:
                client.ping()
            began = time.monotonic()
            with pytest.raises(OutcomeUnknownError) as caught:
                client.upload_file(channel_id=CHANNEL, name="a", stream=_Zeros(), size_bytes=2**30)
            took_s = time.monotonic() - began

    assert caught.value.reason is Reason.TIMEOUT
    assert took_s < 15


def _take_by_drips(listener: socket.socket, kept: bool) -> None:
    connection, _ = listener.accept()
    with connection, suppress(OSError):
        if kept:
            connection.recv(64 * 1024)
            connection.sendall(http(200, b'{"status": "OK"}'))
        while connection.recv(512):
            time.sleep(0.02)


def test_a_kept_connection_gives_an_upload_as_long_as_a_fresh_one() -> None:
    """The connect timeout does not limit an upload on a used connection."""
    size = 16 * 1024 * 1024
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_stall_then_take, args=(listener, size), daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with MattermostClient(url, TOKEN, connect_timeout_s=1) as client:
            client.ping()
            info = client.upload_file(
                channel_id=CHANNEL, name="a", stream=_Zeros(), size_bytes=size
            )
        thread.join()

    assert info.id == "f1"


def _stall_then_take(listener: socket.socket, size: int) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(64 * 1024)
        connection.sendall(http(200, b'{"status": "OK"}'))
        # The test is about this time passing, so there is no condition to wait for.
        time.sleep(1.5)
        taken = 0
        while taken < size:
            taken += len(connection.recv(1024 * 1024))
        connection.sendall(http(201, b'{"file_infos": [{"id": "f1", "name": "a"}]}'))


def test_a_download_that_drips_is_given_up() -> None:
    """Each 256 KiB of a download must come within the read timeout."""
    answer = _drip(b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n", b"a", every_s=0.05)
    with WireServer(answer) as server, _client(server) as client:
        began = time.monotonic()
        with pytest.raises(OutcomeUnknownError) as caught, client.download_file("f1") as file:
            for _ in file.chunks:
                pass
        took_s = time.monotonic() - began

    assert caught.value.reason is Reason.TIMEOUT
    assert took_s < IN_TIME_S


def test_a_stop_ends_an_exchange_that_has_begun() -> None:
    """A stopping worker ends its exchange after the grace time."""
    stopping = Stopping(grace_s=0.2)
    drip = _drip(b"", b"", every_s=0.05)

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


def test_nothing_is_sent_after_the_moment_up_to_which_it_may_be() -> None:
    """A process that was suspended too long sends nothing more."""
    with WireServer(always(CREATED)) as server, _client(server) as client:
        with pytest.raises(SendTooLateError):
            client.create_post(channel_id=CHANNEL, message="x", send_by=time.monotonic() - 0.1)
        client.create_post(channel_id=CHANNEL, message="y", send_by=time.monotonic() + 60)

    assert [json.loads(request.body)["message"] for request in server.requests] == ["y"]


def test_one_dead_address_leaves_time_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the first address of a name hangs, there is time left for the next."""
    with (
        WireServer(always(http(200, b'{"status": "OK"}'))) as server,
        socket.create_server(("127.0.0.1", 0), backlog=0) as full,
        _clogged(full) as port,
        MattermostClient("http://two.example", TOKEN) as client,
    ):
        resolver = Resolver(lambda host, at: _addresses(port, server.port))
        monkeypatch.setattr("tasks.mattermost.sockets.RESOLVER", resolver)

        assert client.ping() == "OK"


def _addresses(*ports: int) -> list[Address]:
    kind = socket.SOCK_STREAM
    return [(socket.AF_INET, kind, 0, "", ("127.0.0.1", port)) for port in ports]


@contextmanager
def _clogged(listener: socket.socket) -> Iterator[int]:
    """Fill a listener's queue, so that its port accepts no further connection."""
    address = listener.getsockname()
    waiting = []
    for _ in range(4):
        connection = socket.socket()
        connection.setblocking(False)
        connection.connect_ex(address)
        waiting.append(connection)
    try:
        yield int(address[1])
    finally:
        for connection in waiting:
            connection.close()


def test_a_name_server_that_is_silent_costs_the_caller_its_limit_alone() -> None:
    """A silent name server delays the caller no longer than its limit."""
    silent = threading.Event()

    def look_up(host: str, port: int) -> list[Address]:
        silent.wait(30)
        return []

    resolver = Resolver(look_up, max_lookups=2)
    began = time.monotonic()
    try:
        # The third name finds both threads busy; the repeated name shares its thread.
        for host in ("a.example", "b.example", "a.example", "c.example"):
            with pytest.raises(LookupTimeoutError):
                resolver.addresses(host, 443, timeout_s=0.1)
        took_s = time.monotonic() - began
        threads = [each for each in threading.enumerate() if each.name.startswith("lookup-")]
    finally:
        silent.set()

    assert took_s < 3
    assert len(threads) == 2
    assert all(thread.daemon for thread in threads)


def test_threads_of_names_that_were_found_are_free_again() -> None:
    """Any number of names can be looked up one after the other."""
    resolver = Resolver(lambda host, port: _addresses(port), max_lookups=1)

    found = [resolver.addresses(f"{n}.example", 443, timeout_s=5) for n in range(20)]

    assert found == [_addresses(443)] * 20


def test_an_address_in_numbers_asks_no_name_server() -> None:
    """A server with a numeric address is reached without a name server."""

    def look_up(host: str, port: int) -> list[Address]:
        raise AssertionError("no name server is to be asked")

    [address] = Resolver(look_up).addresses("127.0.0.1", 80, timeout_s=0.1)

    assert address[4] == ("127.0.0.1", 80)


def _page(request: Request, connection: socket.socket) -> bytes | None:
    """A channel of 40 posts of 150 kB, by pages."""
    query = dict(pair.split("=") for pair in request.target.partition("?")[2].split("&"))
    number, size = int(query.get("page", 0)), int(query["per_page"])
    ids = [f"p{n}" for n in range(40)][number * size : (number + 1) * size]
    posts = {each: POST | {"id": each, "message": "x" * 150_000} for each in ids}
    return http(200, json.dumps({"order": ids, "posts": posts}).encode())


def test_a_page_that_is_too_large_is_asked_for_in_smaller_ones() -> None:
    """A page over 4 MiB is requested in smaller pages, and comes whole."""
    with WireServer(_page) as server, MattermostClient(server.url, TOKEN) as client:
        posts = client.get_posts_page(CHANNEL, page=0, per_page=200)
        asked = [int(request.target.rpartition("per_page=")[2]) for request in server.requests]

    assert [post.id for post in posts] == [f"p{n}" for n in range(40)]
    assert asked[0] == 200
    assert all(request.body_size <= LIST_ANSWER_BYTES for request in server.requests)
    assert max(asked[1:]) < 200


def test_a_call_without_bounds_fails_at_once() -> None:
    """A request without limits fails at once, so that the first test finds it."""
    with (
        WireServer(always(CREATED)) as server,
        plain_session(ca_bundle=None, proxy_url=None, pool_size=1) as session,
        pytest.raises(LookupError),
    ):
        session.get(server.url)
