"""The HTTP server of ``web``: a client that is slow costs a connection, and no thread.

waitress reads a whole request and writes a whole answer in one loop over all connections, and
gives a thread only what is complete. What it leaves open is added here: one request for each
connection, an end to every connection, and a place for a new one. See ADR 22.
"""

from __future__ import annotations

import logging
import signal
import time
from types import FrameType
from typing import TYPE_CHECKING

from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer
from waitress.task import WSGITask

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

# Below the 1,024 open files that a process mostly may have. Each has at most MAX_REQUEST_BYTES.
MAX_CONNECTIONS = 512
# A webhook's body has at most 256 KiB, which our own answer refuses by name; this is the last word.
MAX_REQUEST_BYTES = 320 * 1_024
MAX_HEADER_BYTES = 16 * 1_024
# Mattermost sends a webhook in one piece, and gives up after 30 s.
SILENCE_S = 10
CONNECTION_S = 30
# What is being answered when a stop is asked for; systemd and Heroku wait for 30 s and longer.
STOP_S = 10
# Each of our answers is smaller: nothing is ever written to a temporary file.
MAX_BUFFER_BYTES = 64 * 1_024 * 1_024


class _OneRequest(WSGITask):  # type: ignore[misc]
    """Closes the connection behind its answer.

    On a kept one a webhook could meet the moment in which we close it, and Mattermost sends none
    again. It also leaves nothing to do for requests sent ahead.
    """

    def start(self) -> None:
        super().start()
        self.set_close_on_finish()


class _Connection(HTTPChannel):  # type: ignore[misc]
    task_class = _OneRequest

    def writable(self) -> bool:
        """Return whether to wait; its number may be another connection's once it is closed."""
        return self.connected and bool(super().writable())

    def is_answered(self) -> bool:
        """Return whether the server itself has something to do or to write here."""
        return bool(self.requests or self.total_outbufs_len)


class WebServer(TcpWSGIServer):  # type: ignore[misc]
    """Serves one application on one address until ``stop`` is called."""

    channel_class = _Connection
    active_channels: dict[int, _Connection]

    def __init__(
        self,
        application: WSGIApplication,
        *,
        host: str,
        port: int,
        threads: int,
        max_connections: int = MAX_CONNECTIONS,
        silence_s: int = SILENCE_S,
        connection_s: int = CONNECTION_S,
    ) -> None:
        """Listen at once.

        Raises:
            OSError: the address is taken, or is none of this machine's.
        """
        self._stop_at: float | None = None
        self._max_connections = max_connections
        self._connection_s = connection_s
        super().__init__(
            application,
            listen=f"{host}:{port}",
            threads=threads,
            # Never met: the oldest one makes room before. Listening takes two of them.
            connection_limit=max_connections + 10,
            channel_timeout=silence_s,
            cleanup_interval=1,
            max_request_header_size=MAX_HEADER_BYTES,
            max_request_body_size=MAX_REQUEST_BYTES,
            inbuf_overflow=MAX_BUFFER_BYTES,
            outbuf_overflow=MAX_BUFFER_BYTES,
            asyncore_use_poll=True,
            ident=None,
        )

    def stop(self) -> None:
        """Accept nothing more, and end once everything is answered."""
        if self._stop_at is None:
            self._stop_at = time.time() + STOP_S
            self.accepting = False
            self.pull_trigger()

    def readable(self) -> bool:
        """Return whether to wait for a new connection; the loop asks before each wait."""
        if self._stop_at is not None and self._may_end(self._stop_at):
            raise SystemExit
        return bool(super().readable())

    def maintenance(self, now: float) -> None:
        """Close connections that are silent or too old; what a thread is at ends by itself."""
        super().maintenance(now)
        began_before = now - self._connection_s
        for each in list(self.active_channels.values()):
            if each.requests or each.creation_time > began_before:
                continue
            each.will_close = True
            # A client that reads nothing never lets it be written to, and so be closed.
            each.handle_close()

    def handle_accept(self) -> None:
        """Take the connection; if they are too many, close the oldest that waits for its client."""
        super().handle_accept()
        if len(self.active_channels) > self._max_connections:
            waiting = (each for each in self.active_channels.values() if not each.is_answered())
            min(waiting, key=lambda each: each.creation_time).handle_close()

    def run(self) -> None:
        """Serve until a stop is asked for; then close the address and what is still connected."""
        super().run()
        for each in list(self.active_channels.values()):
            each.handle_close()
        self.close()

    def _may_end(self, stop_at: float) -> bool:
        return time.time() > stop_at or not any(
            each.is_answered() for each in self.active_channels.values()
        )


def serve(application: WSGIApplication, *, host: str, port: int, threads: int) -> None:
    """Serve the application until SIGTERM or SIGINT.

    Raises:
        OSError: the address cannot be listened on.
    """
    # It warns of each request that waits for a thread.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    server = WebServer(application, host=host, port=port, threads=threads)

    def stop(_: int, __: FrameType | None) -> None:
        server.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    server.run()
