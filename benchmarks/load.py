"""Put load on one HTTP address: a few connections at a time, each with one request."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Iterator

RECEIVE_BYTES = 65_536
TIMEOUT_S = 30


class LoadError(Exception):
    """The server answered wrongly or not at all, so there is nothing to measure."""


def rate(port: int, requests: Iterator[bytes], *, count: int, connections: int) -> float:
    """Send ``count`` requests, which must be answered with 200; return the requests per second.

    This process sends prepared bytes on plain sockets, to leave the processor to the server.

    Raises:
        LoadError: an answer has another status, or none came.
    """
    with selectors.DefaultSelector() as selector:
        began = time.perf_counter()
        for _ in range(connections):
            _send(selector, next(requests), port=port)
        _exchange(selector, requests, port=port, count=count)
        return count / (time.perf_counter() - began)


def _exchange(
    selector: selectors.BaseSelector, requests: Iterator[bytes], *, port: int, count: int
) -> None:
    sent, answered = len(selector.get_map()), 0
    while answered < count:
        ready = selector.select(TIMEOUT_S)
        if not ready:
            raise LoadError(f"no answer within {TIMEOUT_S} s")
        for key, _ in ready:
            selector.unregister(key.fileobj)
            _check(_socket(key))
            answered += 1
            if sent < count:
                _send(selector, next(requests), port=port)
                sent += 1


def _send(selector: selectors.BaseSelector, request: bytes, *, port: int) -> None:
    connection = socket.create_connection(("127.0.0.1", port), TIMEOUT_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(request)
    selector.register(connection, selectors.EVENT_READ)


def _socket(key: selectors.SelectorKey) -> socket.socket:
    assert isinstance(key.fileobj, socket.socket)
    return key.fileobj


def _check(connection: socket.socket) -> None:
    answer = b""
    with connection:
        while piece := connection.recv(RECEIVE_BYTES):
            answer += piece
    if not answer.startswith(b"HTTP/1.1 200 "):
        raise LoadError(f"the server answered {answer[:100]!r}")
