"""A server's name is looked up within a limit of time and of threads."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tasks.mattermost import MattermostClient
from tasks.mattermost.exchange import LookupTimeoutError
from tasks.mattermost.names import Address, Resolver
from tests.integration.mattermost_client.calls import TOKEN
from tests.wire import WireServer, always, http


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
