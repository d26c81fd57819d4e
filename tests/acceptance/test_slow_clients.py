"""Slow clients do not block the web process, even without a proxy in front of it."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from inbound.server import CONNECTION_S, SILENCE_S
from models import Database
from tests.stage.deployment import Deploy, Process
from tests.waiting import wait_until
from tests.webhook_calls import add_licence, as_json, inbox, payload, send

CLIENTS = 64
# The promise. Without slow clients the answer takes milliseconds.
LONGEST_S = 2.0
REQUESTS = 5
_WEBHOOK = b"POST /mattermost/replies HTTP/1.1\r\nHost: web\r\nContent-Type: application/json\r\n"
# What each client sends before it stops sending, and reads nothing.
SENT = {
    "half a header": _WEBHOOK + b"X-a: ",
    "half a body": _WEBHOOK + b"Content-Length: 100000\r\n\r\n{",
    "half a chunk": _WEBHOOK + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",
    "nothing": b"",
    "more than is read": b"GET /mattermost/health HTTP/1.1\r\nHost: web\r\n\r\n" * 200,
}
# A client that sends slowly and one that does not read. The other ways end like the first.
USUAL = {"half a body", "more than is read"}
WAYS = [
    pytest.param(sent, id=way, marks=[] if way in USUAL else pytest.mark.full_load)
    for way, sent in SENT.items()
]


@pytest.fixture
def web(
    database: Database, database_url: str, redis_url: str, tmp_path: Path, deploy: Deploy
) -> Process:
    """A running web process, with licence L1."""
    add_licence(database)
    web = deploy(tmp_path, redis_url=redis_url, database_url=database_url).start("web")
    wait_until(lambda: _is_healthy(web), timeout_s=30, what="the web process")
    return web


@pytest.fixture
def slow_clients() -> Iterator[ExitStack]:
    """A stack that closes the test's connections."""
    with ExitStack() as stack:
        yield stack


def _url(web: Process, path: str) -> str:
    return f"http://127.0.0.1:{web.port}/mattermost/{path}"


def _is_healthy(web: Process) -> bool:
    assert web.process.poll() is None, web.log_text()
    try:
        return requests.get(_url(web, "health"), timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


def _connect(web: Process, sent: bytes, *, until: ExitStack) -> socket.socket:
    connection = until.enter_context(socket.create_connection(("127.0.0.1", web.port), 20))
    connection.sendall(sent)
    return connection


def _slowest(web: Process) -> float:
    """Return the seconds of the slowest of some health checks and webhooks."""
    seconds = []
    for number in range(REQUESTS):
        began = time.monotonic()
        assert _is_healthy(web)
        body = as_json(payload(post_id=f"{number:026d}"))
        assert send(_url(web, "replies"), body).status_code == 200
        seconds.append(time.monotonic() - began)
    return max(seconds)


@pytest.mark.measures_time
@pytest.mark.parametrize("sent", WAYS)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_slow_clients_delay_neither_health_nor_webhooks(
    web: Process, database: Database, slow_clients: ExitStack, sent: bytes
) -> None:
    """Beside 64 slow clients, a health check and a webhook together take less than 2 s."""
    for _ in range(CLIENTS):
        _connect(web, sent, until=slow_clients)

    slowest = _slowest(web)

    assert slowest < LONGEST_S
    assert len(inbox(database)) == REQUESTS


@pytest.mark.full_load
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_web_ends_slow_clients(web: Process, slow_clients: ExitStack) -> None:
    """The web process closes a silent client after 10 s, and one that sends slowly after 30 s."""
    silent = _connect(web, SENT["half a body"], until=slow_clients)
    dripping = _connect(web, SENT["half a body"], until=slow_clients)
    silent.settimeout(SILENCE_S + 5)
    dripping.settimeout(1)
    began = time.monotonic()

    wait_until(
        lambda: _is_closed(dripping), timeout_s=CONNECTION_S + 5, what="the end of the dripping"
    )

    assert time.monotonic() - began > CONNECTION_S - 2
    assert silent.recv(1) == b""


def _is_closed(connection: socket.socket) -> bool:
    try:
        connection.sendall(b" ")
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True
