"""The shipped configuration for nginx passes only the right requests to a real `web`."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
import trustme

from demo.ports import free_port
from demo.redis_server import RedisServer
from tests.pages import ROOT
from tests.stage.deployment import Deployment
from tests.waiting import wait_until

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin")
MAIN = """
daemon off;
pid {directory}/nginx.pid;
error_log {directory}/nginx.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    include {directory}/ours.conf;
}}
"""
WRONG_TOKEN = b'{"token": "wrong"}'


@dataclass(frozen=True, slots=True)
class Proxy:
    """A running nginx: its address, and the certificate authority to trust."""

    url: str
    authority: str

    def get(self, path: str) -> requests.Response:
        """Send a GET request over TLS."""
        return requests.get(f"{self.url}{path}", verify=self.authority, timeout=20)

    def post(self, path: str, body: bytes) -> requests.Response:
        """Send a webhook over TLS."""
        return requests.post(
            f"{self.url}{path}",
            data=body,
            headers={"Content-Type": "application/json"},
            verify=self.authority,
            timeout=20,
        )


@pytest.fixture(scope="module")
def proxy(
    tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path, redis_server: RedisServer
) -> Iterator[Proxy]:
    """A running nginx with our file; only its ports and certificate are the test's own."""
    if NGINX is None:
        pytest.skip("NO NGINX: install it (`apt-get install nginx-light`) to run this test")
    directory = tmp_path_factory.mktemp("nginx")
    database = shutil.copy(sqlite_template, directory / "test.db")
    deployment = Deployment.create(
        directory, redis_url=redis_server.url, database_url=f"sqlite:///{database}"
    )
    web = deployment.start("web")
    port = free_port()
    authority = _configure(directory, port=port, web_port=web.port)
    nginx = subprocess.Popen(
        [NGINX, "-p", directory, "-c", directory / "nginx.conf"], stderr=subprocess.DEVNULL
    )
    made = Proxy(f"https://localhost:{port}", authority)
    try:
        wait_until(lambda: _is_up(made), timeout_s=60, what="web behind nginx")
        yield made
    finally:
        nginx.terminate()
        nginx.wait(20)
        deployment.stop()


def _configure(directory: Path, *, port: int, web_port: int) -> str:
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    certificate.cert_chain_pems[0].write_to_path(directory / "cert.pem")
    certificate.private_key_pem.write_to_path(directory / "key.pem")
    authority.cert_pem.write_to_path(directory / "authority.pem")
    ours = (ROOT / "deploy" / "nginx.conf").read_text()
    for theirs, mine in (
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("/etc/ssl/ireserve.example.com.pem", f"{directory}/cert.pem"),
        ("/etc/ssl/private/ireserve.example.com.key", f"{directory}/key.pem"),
        ("127.0.0.1:8000", f"127.0.0.1:{web_port}"),
    ):
        assert theirs in ours
        ours = ours.replace(theirs, mine)
    (directory / "ours.conf").write_text(ours)
    (directory / "nginx.conf").write_text(MAIN.format(directory=directory))
    return str(directory / "authority.pem")


def _is_up(proxy: Proxy) -> bool:
    try:
        return proxy.get("/mattermost/health").status_code == 200
    except requests.ConnectionError:
        return False


@pytest.mark.parametrize("prefix", ["", "/support", "/support/chat"])
def test_webhook_comes_through_under_any_prefix(proxy: Proxy, prefix: str) -> None:
    """`web` answers a webhook under any prefix."""
    answer = proxy.post(f"{prefix}/mattermost/replies", WRONG_TOKEN)

    assert (answer.status_code, answer.headers["Content-Type"]) == (401, "application/json")


@pytest.mark.parametrize(
    ("size", "server"),
    [
        pytest.param(256 * 1_024, "web", id="the largest webhook"),
        pytest.param(300 * 1_024, "web", id="larger: web says so"),
        pytest.param(400 * 1_024, "nginx", id="far larger: nginx says so"),
    ],
)
def test_body_that_is_too_large_is_refused(proxy: Proxy, size: int, server: str) -> None:
    """A body above the limit is refused: by `web`, or by nginx if it is far larger."""
    body = b'{"token": "wrong", "text": "%s"}' % (b"x" * (size - 31))

    answer = proxy.post("/mattermost/replies", body)

    assert answer.status_code == (401 if size <= 256 * 1_024 else 413)
    assert answer.headers["Content-Type"].startswith("application/json") == (server == "web")


@pytest.mark.parametrize("path", ["/", "/mattermost", "/mattermost/replies/x", "/.env", "/api"])
def test_nothing_else_is_passed_on(proxy: Proxy, path: str) -> None:
    """nginx answers any other address with 404."""
    answer = proxy.get(path)

    assert answer.status_code == 404
    assert "nginx" in answer.text


@pytest.mark.full_load
def test_client_that_sends_half_a_body_is_closed(proxy: Proxy) -> None:
    """A client that sends half a body takes no thread of `web`, and is closed after 10 s."""
    context = ssl.create_default_context(cafile=proxy.authority)
    port = int(proxy.url.rpartition(":")[2])
    head = b"POST /mattermost/replies HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n"

    with (
        socket.create_connection(("localhost", port), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as client,
    ):
        client.sendall(head + b"{")
        answer = client.recv(1_000)

    # The connection is closed with or without an answer. An open one would fail here after 20 s.
    assert answer == b"" or b" 408 " in answer
