"""The other end of an outgoing webhook: keeps what it gets and answers what it is told."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl


@dataclass(frozen=True, slots=True)
class Call:
    """One request that came in."""

    path: str
    headers: dict[str, str]
    body: str

    def fields(self) -> dict[str, Any]:
        """The payload of either form."""
        if self.headers["Content-Type"] == "application/json":
            fields: dict[str, Any] = json.loads(self.body)
            return fields
        return dict(parse_qsl(self.body, keep_blank_values=True))


@dataclass(slots=True)
class Receiver:
    """Where hooks call; `status`, `content_type` and `answer` are what they get."""

    url: str = ""
    status: int = 200
    content_type: str = "application/json"
    answer: str = "{}"
    calls: list[Call] = field(default_factory=list)

    def calls_for(self, post_id: str) -> list[Call]:
        """The calls about one post."""
        return [call for call in list(self.calls) if call.fields()["post_id"] == post_id]


@contextmanager
def running_receiver() -> Iterator[Receiver]:
    """A receiver on a free port until the end of the block."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            receiver.calls.append(Call(self.path, dict(self.headers), body))
            self.send_response(receiver.status)
            self.send_header("Content-Type", receiver.content_type)
            self.send_header("Content-Length", str(len(receiver.answer.encode())))
            self.end_headers()
            self.wfile.write(receiver.answer.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
