"""A running stand-in: in the process for tests and benchmarks, or as a process of its own."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from demo.mattermost.app import create_app
from demo.mattermost.backend import Backend
from demo.mattermost.control import Control
from demo.mattermost.versions import NEWEST
from demo.mattermost.wire import WireServer

# How often the accepting thread looks whether it should stop.
_POLL_INTERVAL_S = 0.05


class StandIn(Control):
    """A server that runs, its address, and the control of it."""

    def __init__(self, backend: Backend, url: str) -> None:
        """Control this server, which can be reached at the address."""
        super().__init__(backend)
        self.url = url


@contextmanager
def running_server(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    journal: Path | None = None,
    version: str = NEWEST,
) -> Iterator[StandIn]:
    """A stand-in that serves until the end of the block; port 0 takes a free one.

    `version` is one of `VERSIONS`.

    With a journal the state is written there as it changes, and read from there at the start.
    """
    backend = Backend(journal, version=version)
    try:
        server = WireServer(create_app(backend), host=host, port=port)
        backend.use_site_url(server.url)
        thread = threading.Thread(
            target=server.serve_forever, args=(_POLL_INTERVAL_S,), name="stand-in", daemon=True
        )
        thread.start()
        try:
            yield StandIn(backend, server.url)
        finally:
            server.stop()
            thread.join()
    finally:
        backend.close()
