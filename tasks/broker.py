"""kombu's Redis transport with one client for each channel.

kombu makes a new client object for each command it sends, which takes about as long as the command
itself. A client is only the means to a connection of the channel's pool; it is safe to keep and to
share between threads.
"""

from __future__ import annotations

from typing import Any

from kombu.transport import redis


class Channel(redis.Channel):
    """A channel that keeps the client for its pool."""

    _kept: Any = None

    def _create_client(self, asynchronous: bool = False) -> Any:
        if asynchronous:
            # That one is watched by the event loop, and kombu keeps it itself.
            return super()._create_client(asynchronous=True)  # type: ignore[no-untyped-call]
        if self._kept is None or self._kept.connection_pool is not self.pool:
            # The pool is another one after a lost connection.
            self._kept = super()._create_client()  # type: ignore[no-untyped-call]
        return self._kept


class Transport(redis.Transport):
    """The transport whose channels these are."""

    Channel = Channel
