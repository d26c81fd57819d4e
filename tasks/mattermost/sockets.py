"""Sockets that never wait longer than their exchange may take."""

import os
import socket
import ssl
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeVar

from urllib3.util.ssl_ import create_urllib3_context

from tasks.mattermost.exchange import current_exchange
from tasks.mattermost.names import RESOLVER, Address

T = TypeVar("T")


class _Bounded(socket.socket):
    """A socket that waits in slices within its exchange's time, and so notices a stop."""

    def recv_into(self, *args: Any) -> int:
        """Receive into a buffer, within the exchange's time and bytes."""
        size = self._within(super().recv_into, *args)
        current_exchange().count_received(size)
        return size

    def recv(self, *args: Any) -> bytes:
        """Receive bytes, within the exchange's time and bytes. TLS inside TLS uses this method."""
        data = self._within(super().recv, *args)
        current_exchange().count_received(len(data))
        return data

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Send all data, within the exchange's time."""
        # The socket's own method applies its timeout to all of the data together, and does not say
        # how much was sent when a slice ends.
        view = memoryview(data).cast("B")
        current_exchange().require_time_to_send()
        while view:
            view = view[self._within(super().send, view, flags) :]

    def _within(self, operation: Callable[..., T], *args: Any) -> T:
        exchange = current_exchange()
        while True:
            self.settimeout(exchange.slice_s())
            try:
                return operation(*args)
            except TimeoutError:
                # The slice is over. `slice_s` raises an error if the exchange is over too.
                continue


class BoundedSocket(_Bounded):
    """A bounded socket without TLS."""


class BoundedTlsSocket(_Bounded, ssl.SSLSocket):
    """A bounded socket with TLS. OpenSSL keeps an incomplete record until the next call."""


def bounded_context() -> ssl.SSLContext:
    """Return the library's usual TLS settings, with bounded sockets."""
    context = create_urllib3_context()
    context.sslsocket_class = BoundedTlsSocket
    return context


def trusting_context(file: str | None, directory: str | None) -> ssl.SSLContext:
    """Return the shared context of all connections that trust these authorities.

    A changed file is read again. Reading takes 13 ms and 0.7 MB, more than the rest of connecting.
    """
    changed_at = os.stat(file).st_mtime_ns if file else 0
    return _trusting_context(file, directory, changed_at)


@lru_cache(maxsize=8)
def _trusting_context(file: str | None, directory: str | None, _changed_at: int) -> ssl.SSLContext:
    context = bounded_context()
    if file or directory:
        context.load_verify_locations(file, directory)
    return context


def connect(
    host: str, port: int, *, options: Sequence[tuple[int, int, int | bytes]]
) -> socket.socket:
    """Return a connection to the first of the host's addresses that accepts one.

    Raises:
        OSError: no address accepted a connection in time.
    """
    exchange = current_exchange()
    addresses = RESOLVER.addresses(host, port, timeout_s=exchange.resolve_s())
    exchange.note_resolved()
    failure: OSError = OSError("the name has no address")
    for tried, address in enumerate(addresses):
        # An address that never answers must leave time for the others, as in Go's dialer.
        share_s = exchange.left_s() / (len(addresses) - tried)
        try:
            return _connect_to(address, timeout_s=share_s, options=options)
        except OSError as error:
            failure = error
    raise failure


def _connect_to(
    address: Address, *, timeout_s: float, options: Sequence[tuple[int, int, int | bytes]]
) -> socket.socket:
    family, kind, protocol, _, place = address
    connection = BoundedSocket(family, kind, protocol)
    try:
        for option in options:
            connection.setsockopt(*option)
        connection.settimeout(timeout_s)
        connection.connect(place)
        # The TLS handshake uses this timeout, once for all of its steps.
        connection.settimeout(current_exchange().left_s())
    except BaseException:
        connection.close()
        raise
    return connection
