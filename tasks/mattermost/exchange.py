"""Limits of one exchange with a server: the time for all of it, and the bytes of the answer.

The HTTP library's own timeouts limit one wait each. A server that sends one byte a second never
exceeds them. Here each wait on a socket may take what is left of the time for the whole exchange.
See ADR 11.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic

from urllib3.exceptions import HTTPError

# How long a process that is asked to stop lets its exchanges continue. With one slice and the
# writes after that, the process ends within 25 s. Service managers kill a process after 30 s.
STOP_GRACE_S = 15.0
# The longest wait before the next check of whether the process is asked to stop.
SLICE_S = 0.5
# The time to resolve a host's name. The resolver asks again after 5 s if its first query was lost.
RESOLVE_S = 8.0
# Status line, headers and whatever else is around a body. Mattermost sends less than 2 kB.
HEAD_BYTES = 64 * 1024
# A body in small chunks takes more bytes on the wire than its own size.
CHUNKED_FACTOR = 2


class AnswerTooLargeError(HTTPError):
    """The answer is larger than its limit."""


class SendTooLateError(Exception):
    """The latest time to send the request has passed. Nothing was sent."""


class LookupTimeoutError(TimeoutError):
    """The host's name was not resolved in time."""


class Stopping:
    """A flag that asks this process to stop: its exchanges end soon after the flag is set."""

    def __init__(self, *, grace_s: float = STOP_GRACE_S) -> None:
        self._grace_s = grace_s
        self._ends_at = float("inf")

    def set(self) -> None:
        """Ask the process to stop; a second call changes nothing."""
        self._ends_at = min(self._ends_at, monotonic() + self._grace_s)

    def clear(self) -> None:
        """Clear the flag."""
        self._ends_at = float("inf")

    def is_set(self) -> bool:
        """Return whether the process is asked to stop."""
        return self._ends_at != float("inf")

    @property
    def ends_at(self) -> float:
        """The time, by ``monotonic``, at which every exchange is aborted."""
        return self._ends_at


class Exchange:
    """The limits of one request and its answer; the time runs from the object's creation.

    The whole exchange may take ``total_s``. Of that, connecting may take ``connect_s`` after the
    name is resolved, and the rest ``answer_s`` from the connection on.
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
        """Apply these limits to every socket that this thread uses in the block."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)

    @contextmanager
    def connecting(self) -> Iterator[None]:
        """Apply the limit for connecting to the block too."""
        self._phase_ends_at = monotonic() + RESOLVE_S + self._connect_s
        try:
            yield
        finally:
            self._phase_ends_at = monotonic() + self._answer_s

    def note_resolved(self) -> None:
        """Record that the name is resolved: from now on the limit is for the connection."""
        self._phase_ends_at = monotonic() + self._connect_s

    def allow_step(self, within_s: float) -> None:
        """Record progress of a transfer, whose next step may take ``within_s``."""
        self._phase_ends_at = monotonic() + within_s

    def allow_total(self, total_s: float) -> None:
        """Set the time for the whole exchange, once the size of the transfer is known."""
        self._ends_at = self._started_at + total_s

    def left_s(self) -> float:
        """Return how many seconds are left.

        Raises:
            TimeoutError: no time is left, or the process is asked to stop.
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
        """Return how many seconds the next wait may take.

        Raises:
            TimeoutError: no time is left.
        """
        return min(self.left_s(), SLICE_S)

    def resolve_s(self) -> float:
        """Return how many seconds resolving the host's name may take.

        Raises:
            TimeoutError: no time is left.
        """
        return min(self.left_s(), RESOLVE_S)

    def require_time_to_send(self) -> None:
        """Require, directly before the first byte, that the request may still be sent.

        Raises:
            SendTooLateError: the latest time to send has passed, because this process was paused.
        """
        if monotonic() > self._send_by:
            raise SendTooLateError
        self._send_by = float("inf")

    @property
    def received_bytes(self) -> int:
        """How many bytes have been received."""
        return self._most_bytes - self._bytes_left

    def count_received(self, size: int) -> None:
        """Count received bytes.

        Raises:
            AnswerTooLargeError: the answer exceeds its limit.
        """
        self._bytes_left -= size
        if self._bytes_left < 0:
            raise AnswerTooLargeError


_current: ContextVar[Exchange] = ContextVar("exchange")


def current_exchange() -> Exchange:
    """Return the exchange in which this thread is.

    Raises:
        LookupError: this thread is in no exchange.
    """
    return _current.get()
