"""Run a server that accepts posts like Mattermost and stores none, as a process.

The demo's stand-in computes for about a millisecond on each post. That would hide the difference
between two clients, and fill a core before several workers do. This server needs a few dozen
microseconds, and waits for a service time without a thread for each request.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import click
import requests

from tests.stage.http_requests import RequestProtocol

CHANNEL_ID = "c" * 26
BOT_USER_ID = "b" * 26
BOT_TOKEN = "t" * 26
# The path of the server's own counters, beside Mattermost's paths.
TAKEN = "/taken"
POSTS = b"/api/v4/posts"
# A request for a channel's posts returns messages of the bot and one reply of a member.
CHANNELS = b"/api/v4/channels/"
LISTED = 4
MEMBER_USER_ID = "m" * 26
TIMEOUT_S = 10
# More connections than any benchmark opens at once.
BACKLOG = 1_024

_STARTED_MS = time.time_ns() // 1_000_000
_TEXT = "We have just looked: the house is free in the first two weeks of August, from Saturday on."

_HEAD = (
    "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nX-Request-Id: {request_id:026d}\r\n"
    "X-Version-Id: 6.7.2..62863ca37001a06555a0a7928fd368ea.false\r\n"
    "Content-Length: {length}\r\n\r\n"
)
# The fields of a post that a request does not give.
_REST: dict[str, Any] = {
    "edit_at": 0,
    "delete_at": 0,
    "is_pinned": False,
    "user_id": BOT_USER_ID,
    "original_id": "",
    "type": "",
    "hashtags": "",
    "reply_count": 1,
    "last_reply_at": 0,
    "participants": None,
    "metadata": {},
}


@dataclass(slots=True)
class Taken:
    """The number of requests, and the times of the first and the last (s, monotonic)."""

    count: int = 0
    first_s: float = 0.0
    last_s: float = 0.0

    def add(self) -> None:
        """Count one request that came now."""
        self.last_s = time.monotonic()
        self.first_s = self.first_s or self.last_s
        self.count += 1


@dataclass(frozen=True, slots=True)
class PostServer:
    """A running server."""

    url: str
    pid: int

    def taken(self) -> Taken:
        """Return the counters since the last `forget`."""
        return Taken(**requests.get(self.url + TAKEN, timeout=TIMEOUT_S).json())

    def forget(self) -> None:
        """Reset the counters."""
        requests.delete(self.url + TAKEN, timeout=TIMEOUT_S).raise_for_status()


@contextmanager
def running_post_server(*, service_ms: float = 0) -> Iterator[PostServer]:
    """Yield a server that takes this time for each post, however many come at the same time."""
    command = [sys.executable, "-m", "benchmarks.post_server", "--service-ms", str(service_ms)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield PostServer(json.loads(process.stdout.readline())["url"], process.pid)
        finally:
            process.terminate()


class _Connection(RequestProtocol):
    def __init__(self, taken: Taken, numbers: Iterator[int], service_s: float) -> None:
        super().__init__()
        self._taken = taken
        self._numbers = numbers
        self._service_s = service_s

    def answer(self, head: bytes, body: bytes) -> None:
        method, path, _ = head.split(b" ", 2)
        if method == b"POST" and path.startswith(POSTS):
            self._taken.add()
            post = _post(json.loads(body), number=next(self._numbers))
            asyncio.get_running_loop().call_later(self._service_s, self._write, "201 Created", post)
        elif method == b"GET" and path.startswith(CHANNELS):
            self._taken.add()
            answer = _list_of(path.removeprefix(CHANNELS)[:26].decode())
            asyncio.get_running_loop().call_later(self._service_s, self._write, "200 OK", answer)
        elif path == TAKEN.encode():
            if method == b"DELETE":
                self._taken.count, self._taken.first_s = 0, 0.0
            self._write("200 OK", asdict(self._taken))
        else:
            self._write("404 Not Found", {"id": "api.context.404.app_error"})

    def _write(self, status: str, answer: dict[str, Any]) -> None:
        content = json.dumps(answer).encode()
        head = _HEAD.format(status=status, request_id=next(self._numbers), length=len(content))
        # A single write becomes one packet, as from a real server.
        self.transport.write(head.encode() + content)


def root_id_of(channel_id: str) -> str:
    """Return the id of the root post of the channel's only thread."""
    return f"r{channel_id[1:]}"


def _list_of(channel_id: str) -> dict[str, Any]:
    names = [f"{letter}{channel_id[1:]}" for letter in "defg"[:LISTED]]
    moments = {"create_at": _STARTED_MS, "update_at": _STARTED_MS}
    place = {"channel_id": channel_id, "root_id": root_id_of(channel_id), "props": {}}
    posts = {name: {"id": name, "message": _TEXT, **_REST, **moments, **place} for name in names}
    posts[names[0]]["user_id"] = MEMBER_USER_ID
    return {"order": names, "posts": posts, "next_post_id": "", "prev_post_id": ""}


def _post(asked: dict[str, Any], *, number: int) -> dict[str, Any]:
    now_ms = time.time_ns() // 1_000_000
    moments = {"create_at": now_ms, "update_at": now_ms}
    return {"id": f"{number:026d}", **moments, **_REST, "root_id": "", "props": {}, **asked}


async def _serve(service_s: float) -> None:
    taken, numbers = Taken(), itertools.count()
    server = await asyncio.get_running_loop().create_server(
        lambda: _Connection(taken, numbers, service_s), "127.0.0.1", 0, backlog=BACKLOG
    )
    port = server.sockets[0].getsockname()[1]
    print(json.dumps({"url": f"http://127.0.0.1:{port}"}), flush=True)
    await server.serve_forever()


@click.command()
@click.option("--service-ms", type=float, default=0)
def main(service_ms: float) -> None:
    """Serve until SIGTERM; the first line of output is JSON with the address."""
    asyncio.run(_serve(service_ms / 1_000))


if __name__ == "__main__":
    main()
