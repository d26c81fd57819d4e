"""Answers that never end, and a client that gives up soon."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from tasks.mattermost import MattermostClient
from tests.integration.mattermost_client.calls import client_of
from tests.wire import Request, WireServer, http

# Long enough to connect on a busy machine: no test here is about the time that this takes.
CONNECT_S = 30.0
READ_S = 0.3
# The client gives up after its read timeout; the rest of this limit is for a busy machine. A server
# here would take up to 60 s.
IN_TIME_S = READ_S + 8


@contextmanager
def impatient_client(server: WireServer, bundle: str | None = None) -> Iterator[MattermostClient]:
    """Yield a client of the server with a short read timeout."""
    with client_of(
        server, connect_timeout_s=CONNECT_S, read_timeout_s=READ_S, ca_bundle=bundle
    ) as client:
        yield client


def dripping(
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
