"""A Mattermost server whose answers need much memory, each licence's in another way."""

from __future__ import annotations

import gzip
import json
import socket
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.wire import Request, WireServer, http

MEGABYTE = 1_000_000
PIECE = b"x" * 65_536
# The size of an "endless" stream, if the worker does not close it before.
ENDLESS_BYTES = 600 * MEGABYTE
MOMENT_MS = 1_790_000_000_000
JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@dataclass(frozen=True, slots=True)
class Root:
    """The thread that the licence's replies name."""

    channel_id: str
    post_id: str


# Writes to the connection, or returns a whole answer.
HugeAnswer = Callable[[Request, socket.socket, Root], bytes | None]


def raw(answer: bytes) -> HugeAnswer:
    """Answer every request with the same bytes."""
    return lambda request, connection, root: answer


def endless(first: bytes, again: bytes) -> HugeAnswer:
    """Answer every request with a stream, as fast as the worker reads."""

    def answer(_request: Request, connection: socket.socket, _root: Root) -> None:
        connection.sendall(first)
        for _ in range(ENDLESS_BYTES // len(again)):
            connection.sendall(again)

    return answer


def post(**changes: Any) -> HugeAnswer:
    """Answer like Mattermost, with a post that has impossible values."""

    def answer(request: Request, connection: socket.socket, root: Root) -> bytes | None:
        *_, parent, name = request.target.partition("?")[0].rstrip("/").split("/")
        if parent == "users":
            user = {"id": name, "username": "anna", "email": "anna@example.com"}
            return http(200, json.dumps(user).encode())
        if name == "info":
            info = {"id": parent, "name": "a.bin", "size": 5, "mime_type": "text/plain"}
            return http(200, json.dumps(info).encode())
        if parent == "files":
            endless(JSON + b"Content-Length: 900000000\r\n\r\n", PIECE)(request, connection, root)
            return None
        made = {
            "id": name if parent == "posts" else "p" * 26,
            "channel_id": root.channel_id,
            "root_id": root.post_id,
            "user_id": "u" * 26,
            "message": "hello",
            "create_at": MOMENT_MS,
            "update_at": MOMENT_MS,
        }
        return http(200, json.dumps({**made, **changes}).encode())

    return answer


HUGE_ANSWERS: dict[str, HugeAnswer] = {
    "60 MB of empty objects": raw(http(200, b"[" + b"{}," * (20 * MEGABYTE) + b"{}]")),
    "1 MiB of empty objects": raw(http(200, b"[" + b"{}," * 349_000 + b"{}]")),
    "1 MiB of objects in objects": raw(http(200, b"[" + b'{"a":{}},' * 116_000 + b"{}]")),
    "1 MiB of short texts": raw(http(200, b"[" + b'"ab",' * 209_000 + b"0]")),
    "4 MiB of empty objects": raw(http(200, b'{"order":[' + b"{}," * 1_390_000 + b"{}]}")),
    "nested without end": raw(http(200, b"[" * (30 * MEGABYTE))),
    "one text of 60 MB": raw(http(200, b'{"id":"' + b"x" * (60 * MEGABYTE) + b'"}')),
    "1 GB that is packed": raw(
        http(200, gzip.compress(bytes(1000 * MEGABYTE), 1), headers={"Content-Encoding": "gzip"})
    ),
    "an error of 60 MB": raw(http(500, b'{"id":"' + b"x" * (60 * MEGABYTE) + b'"}')),
    "chunks without end": endless(
        JSON + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + PIECE + b"\r\n"
    ),
    "headers without end": endless(JSON, b"X-a: " + b"a" * 8_000 + b"\r\n"),
    "100 Continue without end": endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000),
    "a body without end": endless(JSON + b"Connection: close\r\n\r\n", b" " * 65_536),
    "addresses in 16,383 characters": post(message="://" * 5_461),
    "addresses in 1 MB": post(message="://" * 350_000),
    "20 MB of text": post(message="x" * (20 * MEGABYTE)),
    "1,000 files": post(file_ids=[f"{number:026}" for number in range(1_000)]),
    "numbers of 4,000 digits": post(create_at=10**4_000, update_at=-(10**4_000)),
    "100,000 fields": post(props={f"field{number}": number for number in range(100_000)}),
}


@dataclass
class HostileServer:
    """The server of many licences: the first part of a path is the licence, with its answer."""

    answers: Mapping[str, HugeAnswer]
    roots: Mapping[str, Root]
    asked: Counter[str] = field(default_factory=Counter)
    mutex: threading.Lock = field(default_factory=threading.Lock)

    def server(self) -> WireServer:
        """Return the server without starting it."""
        return WireServer(self._answer)

    def _answer(self, request: Request, connection: socket.socket) -> bytes | None:
        licence_id = request.target.split("/")[1]
        with self.mutex:
            self.asked[licence_id] += 1
        return self.answers[licence_id](request, connection, self.roots[licence_id])
