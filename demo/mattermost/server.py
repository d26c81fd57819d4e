"""Run a stand-in inside the current process, for tests, benchmarks and the command."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from demo.mattermost.app import create_app
from demo.mattermost.backend import Backend
from demo.mattermost.control import Control
from demo.mattermost.versions import NEWEST
from demo.mattermost.wire import WireServer

# How often the accepting thread checks whether it should stop.
_POLL_INTERVAL_S = 0.05


class StandIn(Control):
    """A running server: its control and its address."""

    def __init__(self, backend: Backend, url: str) -> None:
        """Control this server, which listens at the address."""
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
    """Yield a stand-in that serves until the end of the block; port 0 takes a free port.

    `version` is one of `VERSIONS`. With a journal, the stand-in writes every change of its state
    there, and restores the state from there at the start.
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
