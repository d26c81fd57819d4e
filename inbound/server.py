"""The HTTP server of ``web``: a slow client occupies a connection, but no thread.

waitress reads requests and writes answers in one loop over all connections, and gives a thread
only complete requests. This module adds three rules: a connection serves one request, every
connection ends in time, and a new connection always gets a place. See ADR 22.
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

# Below 1,024, the usual limit of open files. Each connection holds at most MAX_REQUEST_BYTES.
MAX_CONNECTIONS = 512
# Above 256 KiB, the limit for a webhook's body, so that our own error can name that limit.
MAX_REQUEST_BYTES = 320 * 1_024
MAX_HEADER_BYTES = 16 * 1_024
# Mattermost sends a webhook in one piece, and gives up after 30 s.
SILENCE_S = 10
CONNECTION_S = 30
# The time for current answers after a request to stop. systemd and Heroku wait at least 30 s.
STOP_S = 10
# Larger than each request and answer, so that waitress never writes a temporary file.
MAX_BUFFER_BYTES = 64 * 1_024 * 1_024


class _OneRequest(WSGITask):  # type: ignore[misc]
    """Closes the connection after its answer.

    A webhook on a connection that stays open could arrive just as we close it, and Mattermost does
    not send a webhook again. Closing the connection also drops pipelined requests.
    """

    def start(self) -> None:
        super().start()
        self.set_close_on_finish()


class _Connection(HTTPChannel):  # type: ignore[misc]
    task_class = _OneRequest

    def writable(self) -> bool:
        """Return whether to wait until data can be sent; never for a closed connection.

        The file descriptor of a closed connection may already belong to another connection.
        """
        return self.connected and bool(super().writable())

    def is_answered(self) -> bool:
        """Return whether a request is being answered, or an answer is still to be sent."""
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
        """Begin to listen.

        Raises:
            OSError: the address is taken, or does not belong to this machine.
        """
        self._stop_at: float | None = None
        self._max_connections = max_connections
        self._connection_s = connection_s
        super().__init__(
            application,
            listen=f"{host}:{port}",
            threads=threads,
            # Never reached, because ``handle_accept`` closes the oldest connection before that.
            # Listening itself counts as two.
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
        """Accept no more connections, and end when every request is answered or after STOP_S."""
        if self._stop_at is None:
            self._stop_at = time.time() + STOP_S
            self.accepting = False
            self.pull_trigger()

    def readable(self) -> bool:
        """Return whether to wait for a new connection; waitress' loop calls this each time.

        Raises:
            SystemExit: ``stop`` was called, and the server may end.
        """
        if self._stop_at is not None and self._may_end(self._stop_at):
            raise SystemExit
        return bool(super().readable())

    def maintenance(self, now: float) -> None:
        """Close connections that are silent or too old, except those with a complete request."""
        super().maintenance(now)
        began_before = now - self._connection_s
        for each in list(self.active_channels.values()):
            if each.requests or each.creation_time > began_before:
                continue
            each.will_close = True
            # Close it now: ``will_close`` alone would wait until the client reads.
            each.handle_close()

    def handle_accept(self) -> None:
        """Accept a connection; above the limit, close the oldest one that waits for its client."""
        super().handle_accept()
        if len(self.active_channels) > self._max_connections:
            waiting = (each for each in self.active_channels.values() if not each.is_answered())
            min(waiting, key=lambda each: each.creation_time).handle_close()

    def run(self) -> None:
        """Serve until ``stop`` is called; then close the address and all connections."""
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
        OSError: the process cannot listen on the address.
    """
    # waitress logs a warning for each request that waits for a thread.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    server = WebServer(application, host=host, port=port, threads=threads)

    def stop(_: int, __: FrameType | None) -> None:
        server.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    server.run()
