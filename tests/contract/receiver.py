"""The receiver of outgoing webhooks: it keeps the calls and gives the chosen answer."""

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
    """One request that the receiver got."""

    path: str
    headers: dict[str, str]
    body: str

    def fields(self) -> dict[str, Any]:
        """Return the payload, from JSON or from a form."""
        if self.headers["Content-Type"] == "application/json":
            fields: dict[str, Any] = json.loads(self.body)
            return fields
        return dict(parse_qsl(self.body, keep_blank_values=True))


@dataclass(slots=True)
class Receiver:
    """The calls so far; `status`, `content_type` and `answer` are what a call gets."""

    url: str = ""
    status: int = 200
    content_type: str = "application/json"
    answer: str = "{}"
    calls: list[Call] = field(default_factory=list)

    def calls_for(self, post_id: str) -> list[Call]:
        """Return the calls about one post."""
        return [call for call in list(self.calls) if call.fields()["post_id"] == post_id]


@contextmanager
def running_receiver() -> Iterator[Receiver]:
    """Run a receiver on a free port until the end of the block."""
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
            """Write no line for a request."""

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
