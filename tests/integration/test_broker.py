"""Our Redis transport: one client for each channel, until its connections are made anew."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from kombu.connection import Connection

from tasks.broker import Transport
from tests.pages import ROOT

NAMES = "from tasks.app import app; print(app.connection_for_write().transport.Channel.__module__)"


@pytest.fixture
def channel(redis_url: str) -> Iterator[Any]:
    """A channel on a real Redis."""
    with Connection(redis_url, transport=Transport) as connection:  # type: ignore[no-untyped-call]
        yield connection.default_channel


def _client(channel: Any) -> Any:
    with channel.conn_or_acquire() as client:
        return client


def test_commands_of_a_channel_share_one_client(channel: Any) -> None:
    """It is one object for all commands, and it works."""
    first, second = _client(channel), _client(channel)

    assert first is second
    assert first.ping()


def test_new_connections_make_a_new_client(channel: Any) -> None:
    """A client of connections that were closed would go on using them."""
    before = _client(channel)
    channel._disconnect_pools()
    after = _client(channel)

    assert after is not before
    assert after.connection_pool is channel.pool
    assert after.ping()


def test_watched_client_is_another_one(channel: Any) -> None:
    """The one that waits for messages belongs to the event loop alone."""
    assert channel.client is not _client(channel)


@pytest.mark.parametrize(
    ("url", "module"),
    [
        ("redis://127.0.0.1:6379/0", "tasks.broker"),
        ("rediss://127.0.0.1:6379/0?ssl_cert_reqs=required", "kombu.transport.redis"),
    ],
)
def test_transport_is_ours_where_kombu_lets_us_choose(url: str, module: str) -> None:
    """With TLS it is kombu's own, which knows from the address that it is to be used."""
    done = subprocess.run(
        [sys.executable, "-c", NAMES],
        cwd=ROOT,
        env={**os.environ, "REDIS_URL": url},
        capture_output=True,
        text=True,
    )

    assert done.stdout.strip() == module, done.stderr
