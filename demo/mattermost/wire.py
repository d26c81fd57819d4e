"""A small threaded HTTP/1.1 server for one WSGI application, with keep-alive, without Nagle.

Werkzeug's own server closes the connection after every answer and parses headers slowly, so a
benchmark would measure the stand-in instead of its client. Faults must also cut a connection
without an answer.
"""

import io
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterable
from socketserver import BaseRequestHandler, TCPServer, ThreadingMixIn
from typing import Any, TypeAlias
from urllib.parse import unquote_to_bytes

from werkzeug.serving import DechunkedInput

WsgiApp: TypeAlias = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

# The application sets this key of the WSGI environment to True to have the connection cut.
CUT_CONNECTION = "stand_in.cut_connection"

# Mattermost closes a connection that is idle for a minute.
IDLE_TIMEOUT_S = 60.0

# Our client sends no longer request heads.
MAX_HEAD_BYTES = 64 * 1024

# The server reads up to this many bytes of a refused upload, so that the client sees the answer
# and can reuse the connection. If more is left, the server closes the connection.
MAX_DRAINED_BYTES = 1024 * 1024

_BUFFER_BYTES = 64 * 1024


class _Body(io.RawIOBase):
    """The body of one request, up to its Content-Length."""

    def __init__(self, source: io.BufferedReader, length: int) -> None:
        self._source = source
        self.left = length

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        wanted = min(len(buffer), self.left)
        data = self._source.read1(wanted) if wanted else b""
        buffer[: len(data)] = data
        self.left -= len(data)
        return len(data)


class _Connection(BaseRequestHandler):
    """One connection, which serves requests one after another until either side closes it."""

    server: "WireServer"

    def handle(self) -> None:
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.request.settimeout(IDLE_TIMEOUT_S)
        with self.request.makefile("rb", buffering=_BUFFER_BYTES) as reader:
            try:
                while self._serve_one(reader):
                    pass
            except (OSError, ValueError):
                # The client has disconnected or does not speak HTTP, so no answer would reach it.
                return

    def _serve_one(self, reader: io.BufferedReader) -> bool:
        head = _read_head(reader)
        if not head:
            return False
        environ = _environ(head, server=self.server, client=self.client_address[0])
        if environ.get("HTTP_EXPECT", "").lower() == "100-continue":
            self.request.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = _Body(reader, int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = _input(environ, body, reader)
        keep = environ.get("HTTP_CONNECTION", "").lower() != "close"
        return self._answer(environ, body, keep=keep) and keep

    def _answer(self, environ: dict[str, Any], body: _Body, *, keep: bool) -> bool:
        started: list[tuple[str, list[tuple[str, str]]]] = []
        chunks = self.server.app(environ, lambda *args: started.append(args[:2]))
        try:
            if environ.get(CUT_CONNECTION):
                self._cut()
                return False
            status, headers = started[0]
            reusable = keep and body.left <= MAX_DRAINED_BYTES and _is_measured(headers)
            self._send(environ, status, headers, chunks, reusable=reusable)
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()
        return reusable and _drain(body)

    def _send(
        self,
        environ: dict[str, Any],
        status: str,
        headers: list[tuple[str, str]],
        chunks: Iterable[bytes],
        *,
        reusable: bool,
    ) -> None:
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers)]
        if not reusable:
            lines.append("Connection: close")
        pending = "\r\n".join([*lines, "", ""]).encode("latin-1")
        if environ["REQUEST_METHOD"] != "HEAD":
            # Send the head and the first chunk together: an ordinary answer is one packet.
            for chunk in chunks:
                self.request.sendall(pending + chunk)
                pending = b""
        if pending:
            self.request.sendall(pending)

    def _cut(self) -> None:
        # With a linger time of 0 the client sees a reset at once, as when a server dies.
        linger = struct.pack("ii", 1, 0)
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.request.close()


class WireServer(ThreadingMixIn, TCPServer):
    """A server of one application with one thread for each connection."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, app: WsgiApp, *, host: str, port: int) -> None:
        """Listen; port 0 takes a free port."""
        self.app = app
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__((host, port), _Connection)

    @property
    def url(self) -> str:
        """The address of the server."""
        return f"http://{self.server_address[0]!s}:{self.server_address[1]}"

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection, so that `stop` can close it."""
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close one connection."""
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print that a request failed in the stand-in, without the request's data."""
        print(f"stand-in: {sys.exc_info()[0]!r} in a request", file=sys.stderr)

    def stop(self) -> None:
        """Stop listening and close every connection."""
        self.shutdown()
        self.server_close()
        with self._lock:
            for connection in self._connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    # Its client closed it first.
                    continue


def _read_head(reader: io.BufferedReader) -> bytes:
    """Return the request line and the headers; b"" at the end of the connection."""
    lines: list[bytes] = []
    size = 0
    while (line := reader.readline(MAX_HEAD_BYTES)) not in (b"\r\n", b"\n", b""):
        lines.append(line)
        size += len(line)
        if size > MAX_HEAD_BYTES:
            raise ValueError("the head is too long")
    return b"".join(lines)


def _environ(head: bytes, *, server: WireServer, client: str) -> dict[str, Any]:
    request_line, *header_lines = head.decode("latin-1").splitlines()
    method, target, protocol = request_line.split(" ")
    path, _, query = target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": str(server.server_address[0]),
        "SERVER_PORT": str(server.server_address[1]),
        "SERVER_PROTOCOL": protocol,
        "REMOTE_ADDR": client,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        # Both kinds of body report their end, so the application may read to the end.
        "wsgi.input_terminated": True,
    }
    for line in header_lines:
        name, _, value = line.partition(":")
        key = name.upper().replace("-", "_")
        prefix = "" if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else "HTTP_"
        environ[prefix + key] = value.strip()
    return environ


def _input(environ: dict[str, Any], body: _Body, reader: io.BufferedReader) -> io.IOBase:
    if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        return DechunkedInput(reader)
    return io.BufferedReader(body)


def _is_measured(headers: list[tuple[str, str]]) -> bool:
    """Return whether the answer has a Content-Length, so that the connection can stay open."""
    return any(name.lower() == "content-length" for name, _ in headers)


def _drain(body: _Body) -> bool:
    while body.left:
        if not body.readinto(bytearray(_BUFFER_BYTES)):
            return False
    return True
