"""A server on loopback that answers with a test's exact bytes, or cuts the connection."""

import hashlib
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

# Of a larger body the server keeps only the beginning, the size and the hash, to save memory.
KEPT_BODY_BYTES = 64 * 1024
RECEIVE_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """A request that arrived; header names are in lower case, and `connection` counts from 0."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    body_size: int
    body_sha256: str
    connection: int


# Returns the raw answer, or None to cut the connection. The function may also use the socket.
Answer = Callable[[Request, socket.socket], bytes | None]


def http(
    status: int,
    body: bytes = b"",
    *,
    content_type: str = "application/json",
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """Return a whole raw answer with its Content-Length."""
    lines = [f"HTTP/1.1 {status} Status", f"Content-Type: {content_type}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    lines += [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def always(raw: bytes | None) -> Answer:
    """Answer every request with the same bytes; None cuts every connection."""
    return lambda request, connection: raw


@dataclass
class WireServer:
    """A server that runs in a `with` block; `requests` holds what arrived, in order."""

    answer: Answer
    tls: ssl.SSLContext | None = None
    requests: list[Request] = field(default_factory=list)
    port: int = 0

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._connections: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in list(self._threads):
            thread.join(timeout=10)

    @property
    def url(self) -> str:
        """The server's address, without a slash at the end."""
        return f"{'https' if self.tls else 'http'}://localhost:{self.port}"

    @property
    def connection_count(self) -> int:
        """The number of connections so far."""
        return len(self._connections)

    def cut(self) -> None:
        """Cut all open connections."""
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                number = len(self._connections)
                self._connections.append(connection)
                thread = threading.Thread(target=self._serve, args=(connection, number))
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        with suppress(OSError), connection:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
                self._connections[number] = connection
            with connection:
                while request := _receive(connection, number):
                    self.requests.append(request)
                    raw = self.answer(request, connection)
                    if raw is None:
                        return
                    connection.sendall(raw)


def _receive(connection: socket.socket, number: int) -> Request | None:
    head = b""
    while b"\r\n\r\n" not in head:
        piece = connection.recv(RECEIVE_BYTES)
        if not piece:
            return None
        head += piece
    head, _, rest = head.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    pairs = (line.split(": ", 1) for line in lines)
    headers = {name.lower(): value for name, value in pairs}
    method, target, _ = first.split(" ")
    body, size, digest = _receive_body(connection, rest, int(headers.get("content-length", "0")))
    return Request(method, target, headers, body, size, digest, number)


def _receive_body(connection: socket.socket, rest: bytes, length: int) -> tuple[bytes, int, str]:
    kept, size, digest = rest, len(rest), hashlib.sha256(rest)
    while size < length:
        piece = connection.recv(RECEIVE_BYTES)
        if not piece:
            break
        size += len(piece)
        digest.update(piece)
        kept += piece[: max(0, KEPT_BODY_BYTES - len(kept))]
    return kept, size, digest.hexdigest()
