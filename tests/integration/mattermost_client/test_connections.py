"""If a connection fails, nothing was sent; connections are kept and shared by threads."""

import json
import os
import socket
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import trustme

from demo.ports import free_port
from tasks.mattermost import (
    MattermostClient,
    NotSentError,
    Reason,
    RefusedError,
)
from tasks.mattermost.sockets import trusting_context
from tests.integration.mattermost_client.calls import (
    ERROR_JSON,
    POST,
    TOKEN,
    USER,
    client_of,
    json_answer,
    post_once,
)
from tests.wire import Request, WireServer, always, http


def test_a_refused_connection_is_not_sent() -> None:
    """A request whose connection is refused counts as not sent."""
    with (
        MattermostClient(f"http://127.0.0.1:{free_port()}", TOKEN) as client,
        pytest.raises(NotSentError) as caught,
    ):
        post_once(client)

    assert (caught.value.reason, caught.value.detail) == (Reason.UNREACHABLE, "Connection refused")


def test_an_unknown_host_is_not_sent() -> None:
    """A request to an unknown host counts as not sent."""
    with (
        MattermostClient("http://mattermost.invalid", TOKEN) as client,
        pytest.raises(NotSentError) as caught,
    ):
        post_once(client)

    assert caught.value.reason is Reason.UNREACHABLE


def test_a_host_that_cannot_be_one_is_not_sent() -> None:
    """A request to a host name with a label that is too long counts as not sent."""
    with (
        MattermostClient(f"http://{'a' * 64}.example", TOKEN) as client,
        pytest.raises(NotSentError) as caught,
    ):
        post_once(client)

    assert caught.value.reason is Reason.UNREACHABLE


def test_a_connection_that_is_not_accepted_in_time_is_not_sent() -> None:
    """A request whose connection is not accepted in time counts as not sent."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        with (
            MattermostClient(
                f"http://127.0.0.1:{address[1]}", TOKEN, connect_timeout_s=0.3
            ) as client,
            pytest.raises(NotSentError) as caught,
        ):
            post_once(client)
        for filler in fillers:
            filler.close()

    assert (caught.value.reason, caught.value.detail) == (Reason.UNREACHABLE, "connect timeout")


def test_a_certificate_without_an_issuer_is_not_sent(tls: ssl.SSLContext) -> None:
    """Without the CA's certificate the server is not trusted, and nothing is sent."""
    with (
        WireServer(always(json_answer(USER)), tls=tls) as server,
        client_of(server) as client,
        pytest.raises(NotSentError) as caught,
    ):
        post_once(client)

    assert caught.value.reason is Reason.TLS_FAILED
    assert "certificate" in caught.value.detail
    assert server.requests == []


def test_a_server_of_a_private_ca_is_reached(tls: ssl.SSLContext, authority: trustme.CA) -> None:
    """With the CA bundle a server of a private CA is trusted."""
    with (
        authority.cert_pem.tempfile() as bundle,
        WireServer(always(json_answer(USER)), tls=tls) as server,
        client_of(server, ca_bundle=bundle) as client,
    ):
        assert client.get_me().id == "u1"


def test_a_connection_over_tls_is_made_anew_after_it_was_cut(
    tls: ssl.SSLContext, authority: trustme.CA
) -> None:
    """After a cut, the new TLS connection still trusts the CA bundle."""
    with (
        authority.cert_pem.tempfile() as bundle,
        WireServer(always(json_answer(USER)), tls=tls) as server,
        client_of(server, ca_bundle=bundle) as client,
    ):
        client.get_me()
        server.cut()
        client.get_me()

    assert [request.connection for request in server.requests] == [0, 1]


def test_authorities_are_read_once_and_again_when_their_file_has_changed(tmp_path: Path) -> None:
    """The CA bundle is read once for all connections, and again when the file changes."""
    bundle = tmp_path / "bundle.pem"
    first_ca, second_ca = trustme.CA(), trustme.CA()
    first_ca.cert_pem.write_to_path(str(bundle))
    contexts = [trusting_context(str(bundle), None) for _ in range(3)]

    second_ca.cert_pem.write_to_path(str(bundle))
    os.utime(bundle, ns=(0, 1))
    renewed = trusting_context(str(bundle), None)

    assert contexts == [contexts[0]] * 3
    assert renewed is not contexts[0]
    assert len(renewed.get_ca_certs()) == 1


def test_a_ca_bundle_that_is_missing_is_not_sent() -> None:
    """A missing CA bundle is an error of TLS, and nothing is sent."""
    with (
        MattermostClient("https://localhost:1", TOKEN, ca_bundle="/nowhere.pem") as client,
        pytest.raises(NotSentError) as caught,
    ):
        post_once(client)

    assert caught.value.reason is Reason.TLS_FAILED


def test_a_tls_handshake_that_hangs_is_not_sent() -> None:
    """A request whose TLS handshake hangs counts as not sent."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://localhost:{listener.getsockname()[1]}"
        with (
            MattermostClient(url, TOKEN, connect_timeout_s=0.2) as client,
            pytest.raises(NotSentError) as caught,
        ):
            post_once(client)

    assert caught.value.reason is Reason.UNREACHABLE


def test_a_server_without_tls_is_not_sent() -> None:
    """A request to an https address that answers with plain HTTP counts as not sent."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_speak_plainly, args=(listener,))
        thread.start()
        with (
            MattermostClient(f"https://localhost:{listener.getsockname()[1]}", TOKEN) as client,
            pytest.raises(NotSentError) as caught,
        ):
            post_once(client)
        thread.join()

    assert caught.value.reason is Reason.TLS_FAILED


def _speak_plainly(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(1024)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def test_one_connection_serves_many_calls() -> None:
    """One connection serves many calls, also after an error or a chunked answer."""
    chunked = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        b'15\r\n{"id":"u1","username"\r\n6\r\n:"bot"\r\n1\r\n}\r\n0\r\n\r\n'
    )
    answers = iter([json_answer(USER), http(401, ERROR_JSON), chunked, json_answer(USER)])
    with (
        WireServer(lambda request, connection: next(answers)) as server,
        client_of(server) as client,
    ):
        client.get_me()
        with pytest.raises(RefusedError):
            client.get_me()
        client.get_me()
        client.get_me()

    assert [request.connection for request in server.requests] == [0, 0, 0, 0]


def test_an_idle_connection_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that was idle for long is not used again, since the server may close it."""
    clock = time.monotonic
    with WireServer(always(json_answer(USER))) as server, client_of(server) as client:
        client.get_me()
        monkeypatch.setattr("tasks.mattermost.connections.monotonic", lambda: clock() + 29.0)
        client.get_me()
        monkeypatch.setattr("tasks.mattermost.connections.monotonic", lambda: clock() + 60.0)
        client.get_me()

    assert [request.connection for request in server.requests] == [0, 0, 1]


def test_a_connection_that_the_server_closed_is_not_used_again() -> None:
    """A restart of the server between two posts loses no post."""
    with WireServer(always(json_answer(USER))) as server, client_of(server) as client:
        client.get_me()
        server.cut()
        client.get_me()

    assert [request.connection for request in server.requests] == [0, 1]


def test_headers_and_body_arrive_together() -> None:
    """The server's first read has the whole request, on a fresh connection and on a kept one."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        MattermostClient(f"http://127.0.0.1:{listener.getsockname()[1]}", TOKEN) as client,
        ThreadPoolExecutor(1) as pool,
    ):
        posting = [pool.submit(post_once, client) for _ in range(2)]
        connection, _ = listener.accept()
        with connection:
            reads = []
            for _ in range(2):
                reads.append(connection.recv(65_536))
                connection.sendall(json_answer(POST, status=201))
            for each in posting:
                each.result(30)

    assert [json.loads(read.partition(b"\r\n\r\n")[2])["message"] for read in reads] == [
        "S3CRET text",
        "S3CRET text",
    ]


def test_no_cookie_is_kept() -> None:
    """No cookie is kept, because the server would prefer it to the token."""
    answer = http(200, json.dumps(USER).encode(), headers={"Set-Cookie": "MMAUTHTOKEN=x; Path=/"})
    with WireServer(always(answer)) as server, client_of(server) as client:
        client.get_me()
        client.get_me()

    assert [request.headers.get("cookie") for request in server.requests] == [None, None]


def test_threads_share_a_client() -> None:
    """Threads can share a client, and each gets its own answer."""

    def echo(request: Request, connection: socket.socket) -> bytes:
        return json_answer(USER | {"id": request.target.rsplit("/", 1)[1]})

    wrong: list[str] = []

    def ask(client: MattermostClient, number: int) -> None:
        for turn in range(25):
            user_id = f"u{number}x{turn}"
            if client.get_user(user_id).id != user_id:
                wrong.append(user_id)

    with WireServer(echo) as server, client_of(server) as client:
        threads = [threading.Thread(target=ask, args=(client, number)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=30)

    assert wrong == []
    assert len(server.requests) == 200
    assert server.connection_count <= 8
