"""Free ports for servers of the tests and the demo."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from demo import ports
from demo.ports import HONCHO_STEP, free_base_port, free_port

ASK = "from demo.ports import free_port; print(*(free_port() for _ in range(1_000)), flush=True)"
WAIT = "; input()"


def test_no_two_processes_are_given_the_same_port() -> None:
    """A port that another process was given is not given again."""
    asking = [
        subprocess.Popen(
            [sys.executable, "-c", ASK + WAIT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    try:
        given = [port for each in asking if each.stdout for port in each.stdout.readline().split()]
    finally:
        for each in asking:
            each.communicate("\n")

    assert len(given) == 4_000
    assert len(set(given)) == 4_000


def test_no_outgoing_connection_can_have_the_port() -> None:
    """No outgoing connection can take a given port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        addresses = [server.getsockname()]
        clients = [socket.create_connection(addresses[0]) for _ in range(100)]
    outgoing = {client.getsockname()[1] for client in clients}
    for client in clients:
        client.close()

    given = {free_port() for _ in range(100)}

    assert max(given) < min(outgoing)


@pytest.mark.parametrize("processes", [1, 2])
def test_port_that_something_listens_on_is_not_given(
    processes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A port on which a server listens is never given, alone or in a run."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        last = listener.getsockname()[1]
        first = last - (processes - 1) * HONCHO_STEP
        monkeypatch.setattr(ports, "_PORTS", range(first, last + 1, HONCHO_STEP))

        with pytest.raises(OSError, match=f"no free port was found from {first} to {last}"):
            free_base_port(processes)
