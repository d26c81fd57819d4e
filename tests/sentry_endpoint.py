"""Run an HTTP endpoint that keeps what Sentry's SDK sends."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "0123456789abcdef0123456789abcdef"


@dataclass(slots=True)
class Endpoint:
    """The endpoint's DSN, and the envelopes that arrived, uncompressed."""

    dsn: str = ""
    envelopes: list[bytes] = field(default_factory=list)

    def all_bytes(self) -> bytes:
        """Return all envelopes as one string of bytes."""
        return b"\n".join(self.envelopes)

    def containing(self, *words: str) -> list[bytes]:
        """Return the envelopes that contain all of these words."""
        return [each for each in self.envelopes if all(word.encode() in each for word in words)]


class _Server(ThreadingHTTPServer):
    endpoint: Endpoint


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.server.endpoint.envelopes.append(body)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: Any) -> None:
        """Print no line for a request."""


@contextmanager
def running_endpoint() -> Iterator[Endpoint]:
    """Serve an endpoint on a free port of this machine."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.endpoint = Endpoint(f"http://{KEY}@127.0.0.1:{server.server_port}/1")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.endpoint
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
