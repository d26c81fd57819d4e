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

SETTINGS = """
from tasks.app import app

connection = app.connection_for_write()
print(connection.transport.Channel.__module__, connection.ssl)
"""


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
    ("url", "settings"),
    [
        ("redis://127.0.0.1:6379/0", "False"),
        ("rediss://127.0.0.1:6379/0", "CERT_REQUIRED"),
        ("rediss://127.0.0.1:6379/0?ssl_ca_certs=ca.pem", "ca.pem"),
        ("rediss://127.0.0.1:6379/0?ssl_cert_reqs=none", "CERT_NONE"),
    ],
)
def test_address_decides_about_tls(url: str, settings: str) -> None:
    """The transport is ours in each case, and looks at certificates unless it is told not to."""
    done = subprocess.run(
        [sys.executable, "-c", SETTINGS],
        cwd=ROOT,
        env={**os.environ, "REDIS_URL": url},
        capture_output=True,
        text=True,
    )

    module, _, tls = done.stdout.strip().partition(" ")
    assert module == "tasks.broker", done.stderr
    assert settings in tls
