"""A proxy is used only if the settings name it, with its own login."""

import socket
import ssl
import threading
from base64 import b64encode
from contextlib import suppress
from typing import Any

import pytest
import trustme

from demo.ports import free_port
from tasks.mattermost import (
    MattermostClient,
    NotSentError,
    Reason,
)
from tests.integration.mattermost_client.calls import TOKEN, USER, client_of, json_answer, post_once
from tests.wire import Request, WireServer, always, http


def test_proxy_and_netrc_of_the_environment_are_ignored(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    """The client uses neither a proxy nor a password file of the environment."""
    (tmp_path / ".netrc").write_text("machine localhost login x password y\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with WireServer(always(json_answer(USER))) as server, client_of(server) as client:
        client.get_me()

    assert server.requests[0].headers["authorization"] == f"Bearer {TOKEN}"


def test_a_proxy_is_used_when_it_is_named() -> None:
    """Plain http goes through the named proxy with the whole address."""
    with (
        WireServer(always(json_answer(USER))) as proxy,
        MattermostClient("http://chat.example", TOKEN, proxy_url=proxy.url) as client,
    ):
        client.get_me()

    assert proxy.requests[0].target == "http://chat.example/api/v4/users/me"


def test_a_proxy_gets_its_own_login() -> None:
    """The proxy gets the unescaped user and password of its address."""
    with (
        WireServer(always(json_answer(USER))) as proxy,
        MattermostClient(
            "http://chat.example", TOKEN, proxy_url=f"http://jan:p%40ss@localhost:{proxy.port}"
        ) as client,
    ):
        client.get_me()

    [request] = proxy.requests
    assert request.headers["proxy-authorization"] == f"Basic {b64encode(b'jan:p@ss').decode()}"
    assert request.headers["host"] == "chat.example"


def test_tls_goes_through_a_proxys_tunnel(tls: ssl.SSLContext, authority: trustme.CA) -> None:
    """With TLS the proxy sees only a host name and bytes."""

    def tunnel(request: Request, connection: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", server.port)) as onward:
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=_copy, args=(onward, connection))
            back.start()
            _copy(connection, onward)
            back.join()

    with (
        authority.cert_pem.tempfile() as bundle,
        WireServer(always(json_answer(USER)), tls=tls) as server,
        WireServer(tunnel) as proxy,
        client_of(server, ca_bundle=bundle, proxy_url=proxy.url) as client,
    ):
        client.get_me()
        client.get_me()

    assert [request.target for request in proxy.requests] == [f"localhost:{server.port}"]
    assert len(server.requests) == 2


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65_536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize("server_url", ["http://chat.example", "https://chat.example"])
def test_a_proxy_that_is_away_is_not_sent(server_url: str) -> None:
    """A request whose proxy cannot be reached counts as not sent."""
    proxy_url = f"http://127.0.0.1:{free_port()}"
    with (
        MattermostClient(server_url, TOKEN, proxy_url=proxy_url) as client,
        pytest.raises(NotSentError) as caught,
    ):
        post_once(client)

    assert caught.value.reason is Reason.UNREACHABLE


def test_a_proxy_that_lets_nothing_through_is_not_sent() -> None:
    """A request whose tunnel the proxy refuses counts as not sent."""
    with (
        WireServer(always(http(407))) as proxy,
        MattermostClient("https://chat.example", TOKEN, proxy_url=proxy.url) as client,
        pytest.raises(NotSentError) as caught,
    ):
        post_once(client)

    assert caught.value.reason is Reason.UNREACHABLE
