"""What one exchange with a server may take: time for all of it, and bytes of what comes back.

The library's own limits are for one wait each: a server that sends a byte a second never meets
them. Here each wait on a socket gets what is left of the whole exchange, from the first byte sent
to the last one received, whatever the bytes are part of. See ADR 11.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic

from urllib3.exceptions import HTTPError

# How long a process that is asked to stop lets its exchanges go on. With one slice and what is
# written down afterwards it ends within 25 s; service managers kill after 30 s.
STOP_GRACE_S = 15.0
# No wait is longer than this without a look at whether the process is asked to stop.
SLICE_S = 0.5
# A server's name: the resolver asks a second time after 5 s when its first question was lost.
RESOLVE_S = 8.0
# Status line, headers and what else surrounds a body. Mattermost's are below 2 kB.
HEAD_BYTES = 64 * 1024
# A body in small chunks takes a few times its own size on the wire.
CHUNKED_FACTOR = 2


class AnswerTooLargeError(HTTPError):
    """More came back than the question can be answered with."""


class SendTooLateError(Exception):
    """The moment up to which the request might be sent had passed; nothing was sent."""


class LookupTimeoutError(TimeoutError):
    """The host's name was not found out in time."""


class Stopping:
    """The sign that this process is to stop: its exchanges end soon after it is set."""

    def __init__(self, *, grace_s: float = STOP_GRACE_S) -> None:
        self._grace_s = grace_s
        self._ends_at = float("inf")

    def set(self) -> None:
        """Ask for the stop; a second time changes nothing."""
        self._ends_at = min(self._ends_at, monotonic() + self._grace_s)

    def clear(self) -> None:
        """Take the sign back."""
        self._ends_at = float("inf")

    def is_set(self) -> bool:
        """Return whether the process is asked to stop."""
        return self._ends_at != float("inf")

    @property
    def ends_at(self) -> float:
        """The moment, by ``monotonic``, at which every exchange is broken off."""
        return self._ends_at


class Exchange:
    """The bounds of one request and its answer; the clock runs from now on.

    All of it has ``total_s``; within that, what comes once there is a connection has ``answer_s``.
    """

    def __init__(
        self,
        *,
        connect_s: float,
        answer_s: float,
        total_s: float,
        receive_bytes: int,
        stopping: Stopping | None = None,
        send_by: float = float("inf"),
    ) -> None:
        self._connect_s = connect_s
        self._answer_s = answer_s
        self._started_at = monotonic()
        self._ends_at = self._started_at + total_s
        self._phase_ends_at = self._started_at + answer_s
        self._most_bytes = receive_bytes * CHUNKED_FACTOR + HEAD_BYTES
        self._bytes_left = self._most_bytes
        self._stopping = stopping or Stopping()
        self._send_by = send_by
        self.is_broken_off = False

    @contextmanager
    def running(self) -> Iterator[None]:
        """Hold every socket that this thread uses in the block to these bounds."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)

    @contextmanager
    def connecting(self) -> Iterator[None]:
        """Hold the block, which connects, to the time for that as well."""
        self._phase_ends_at = monotonic() + RESOLVE_S + self._connect_s
        try:
            yield
        finally:
            self._phase_ends_at = monotonic() + self._answer_s

    def resolved(self) -> None:
        """Note that the name is known: from now on it is the connection that takes time."""
        self._phase_ends_at = monotonic() + self._connect_s

    def must_progress(self, within_s: float) -> None:
        """Note that a transfer has come on, and how long its next step may take."""
        self._phase_ends_at = monotonic() + within_s

    def may_take(self, total_s: float) -> None:
        """Set how long all of it may take, once it is known how much there is to transfer."""
        self._ends_at = self._started_at + total_s

    def left_s(self) -> float:
        """Return how many seconds are left.

        Raises:
            TimeoutError: none are.
        """
        now = monotonic()
        if self._stopping.ends_at <= now:
            self.is_broken_off = True
            raise TimeoutError("the process is asked to stop")
        left = min(self._ends_at, self._phase_ends_at, self._stopping.ends_at) - now
        if left <= 0:
            raise TimeoutError("the exchange took too long")
        return left

    def slice_s(self) -> float:
        """Return how long the next wait may be.

        Raises:
            TimeoutError: no time is left.
        """
        return min(self.left_s(), SLICE_S)

    def resolve_s(self) -> float:
        """Return how long the host's name may still take.

        Raises:
            TimeoutError: no time is left.
        """
        return min(self.left_s(), RESOLVE_S)

    def sending(self) -> None:
        """Look whether the request may still go out, directly before its first byte does.

        Raises:
            SendTooLateError: this process stood still for too long since it was allowed to.
        """
        if monotonic() > self._send_by:
            raise SendTooLateError
        self._send_by = float("inf")

    @property
    def received_bytes(self) -> int:
        """How many bytes came so far."""
        return self._most_bytes - self._bytes_left

    def received(self, size: int) -> None:
        """Count bytes that came.

        Raises:
            AnswerTooLargeError: they are too many.
        """
        self._bytes_left -= size
        if self._bytes_left < 0:
            raise AnswerTooLargeError


_current: ContextVar[Exchange] = ContextVar("exchange")


def current_exchange() -> Exchange:
    """Return the exchange that this thread is in.

    Raises:
        LookupError: it is in none.
    """
    return _current.get()
