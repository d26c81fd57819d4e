"""Limits on the requests and the bytes of answers in one piece of work.

Each single answer has its own limit. A list without end needs this limit, because each of its
pages can be a valid answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class AllowanceSpentError(Exception):
    """The piece of work has spent its allowance. The request was not sent."""


class Allowance:
    """The requests and the bytes of answers that are left for one piece of work."""

    def __init__(self, *, requests: int, size_bytes: int) -> None:
        self._requests = requests
        self._size_bytes = size_bytes

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count the requests and answers of this thread in the block."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)

    def ask(self) -> None:
        """Count one request.

        Raises:
            AllowanceSpentError: no requests or no bytes are left.
        """
        if self._requests <= 0 or self._size_bytes <= 0:
            raise AllowanceSpentError
        self._requests -= 1

    def received(self, size_bytes: int) -> None:
        """Count the bytes of an answer; once the bytes are spent, no request is allowed."""
        self._size_bytes -= size_bytes


_current: ContextVar[Allowance | None] = ContextVar("allowance", default=None)


def current_allowance() -> Allowance | None:
    """Return the allowance of this thread's work, or None."""
    return _current.get()
