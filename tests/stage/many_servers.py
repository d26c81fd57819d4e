"""Run the Mattermost servers of many licences in one light process, each with its own trouble.

A licence's server is the path with its name: ``http://127.0.0.1:PORT/L1``. It accepts posts, stores
none, and records when each came. The command is ``python -m tests.stage.many_servers``.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import requests

from tests.stage.deployment import ROOT
from tests.stage.http_requests import RequestProtocol

BOT_USER_ID = "b" * 26
CHANNEL_ID = "c" * 26
# More connections than any load opens at once.
BACKLOG = 4_096
TIMEOUT_S = 30
DRIP_S = 1.0
# The paths to control the servers and to read the arrivals, beside Mattermost's own.
CONTROL, ARRIVALS = "/control", "/arrivals"
NO_POSTS: dict[str, Any] = {"order": [], "posts": {}}
_ANSWERS = (("/thread", NO_POSTS), ("/posts", NO_POSTS), ("/system/ping", {"status": "OK"}))


class Trouble(StrEnum):
    """What a licence's server does with an accepted request."""

    HANGS = "hangs"
    DRIPS = "drips"
    CUTS = "cuts"


@dataclass(slots=True)
class _State:
    """The behaviour of the licences' servers, and the messages with their times (epoch, ms)."""

    service_s: dict[str, float] = field(default_factory=dict)
    troubles: dict[str, Trouble] = field(default_factory=dict)
    arrivals: list[tuple[str, str, float]] = field(default_factory=list)
    posts: int = 0

    def behave(self, *, licences: list[str], service_s: float, trouble: str) -> None:
        for licence in licences:
            self.service_s[licence] = service_s
            self.troubles.pop(licence, None)
            if trouble:
                self.troubles[licence] = Trouble(trouble)

    def note(self, licence: str, post: dict[str, Any]) -> None:
        mark = post["props"].get("ireserve", {})
        self.arrivals.append((licence, str(mark.get("message_id")), time.time() * 1_000))


class _Connection(RequestProtocol):
    def __init__(self, state: _State) -> None:
        super().__init__()
        self._state = state

    def answer(self, head: bytes, body: bytes) -> None:
        method, path, _ = head.decode().split(" ", 2)
        self._handle(method, path.partition("?")[0], body)

    def _handle(self, method: str, path: str, body: bytes) -> None:
        if path == CONTROL:
            self._state.behave(**json.loads(body))
            self._write({})
        elif path == ARRIVALS:
            self._write(self._state.arrivals)
        else:
            self._answer(method, path.split("/")[1], path, body)

    def _answer(self, method: str, licence: str, path: str, body: bytes) -> None:
        answer = self._made(licence, json.loads(body)) if method == "POST" else _found(path)
        loop, trouble = asyncio.get_running_loop(), self._state.troubles.get(licence)
        if trouble is Trouble.DRIPS:
            self.transport.write(b"HTTP/1.1 201 Created\r\nX-Drip: ")
            loop.call_later(DRIP_S, self._drip)
        elif trouble is Trouble.CUTS:
            self.transport.abort()
        elif trouble is None:
            loop.call_later(self._state.service_s.get(licence, 0.0), self._write, answer)

    def _made(self, licence: str, asked: dict[str, Any]) -> dict[str, Any]:
        self._state.note(licence, asked)
        self._state.posts += 1
        now_ms = time.time_ns() // 1_000_000
        made = {"id": f"{self._state.posts:026d}", "user_id": BOT_USER_ID, "create_at": now_ms}
        return {"update_at": now_ms, "delete_at": 0, "edit_at": 0, "type": "", **asked, **made}

    def _drip(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(b"a")
            asyncio.get_running_loop().call_later(DRIP_S, self._drip)

    def _write(self, answer: object) -> None:
        content = json.dumps(answer).encode()
        head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Version-Id: 11.6.0\r\n"
        # A single write becomes one packet, as from a real server.
        self.transport.write(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)


def _found(path: str) -> object:
    return next((answer for end, answer in _ANSWERS if path.endswith(end)), {})


@dataclass(frozen=True, slots=True)
class ManyServers:
    """The process's address and control, for the test that started it."""

    url: str

    def url_of(self, licence_id: str) -> str:
        """Return the address of this licence's server."""
        return f"{self.url}/{licence_id}"

    def behave(
        self, licences: list[str], *, service_s: float = 0.0, trouble: Trouble | None = None
    ) -> None:
        """Let these licences' servers answer after this time, or have this trouble."""
        order = {"licences": licences, "service_s": service_s, "trouble": trouble or ""}
        requests.put(self.url + CONTROL, json=order, timeout=TIMEOUT_S).raise_for_status()

    def arrivals(self) -> list[tuple[str, str, float]]:
        """Return licence, message id and time (epoch, ms) of each requested post."""
        answer = requests.get(self.url + ARRIVALS, timeout=TIMEOUT_S)
        return [(licence, message, moment) for licence, message, moment in answer.json()]


@contextmanager
def running_servers() -> Iterator[ManyServers]:
    """Yield the servers in a new process; each answers without delay."""
    command = [sys.executable, "-m", "tests.stage.many_servers"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield ManyServers(json.loads(process.stdout.readline())["url"])
        finally:
            process.kill()


async def _serve() -> None:
    state = _State()
    server = await asyncio.get_running_loop().create_server(
        lambda: _Connection(state), "127.0.0.1", 0, backlog=BACKLOG
    )
    port = server.sockets[0].getsockname()[1]
    sys.stdout.write(json.dumps({"url": f"http://127.0.0.1:{port}"}) + "\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())
