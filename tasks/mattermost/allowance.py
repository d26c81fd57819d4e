"""How much one piece of work may ask of a server, in requests and bytes, however it answers.

Each answer is bounded by itself. A list that never ends is not: each of its pages may be honest.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class AllowanceSpentError(Exception):
    """Nothing more may be asked for this piece of work; nothing was sent."""


class Allowance:
    """Requests and bytes of answers that are left for one piece of work."""

    def __init__(self, *, requests: int, size_bytes: int) -> None:
        self._requests = requests
        self._size_bytes = size_bytes

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count what this thread asks in the block."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)

    def ask(self) -> None:
        """Count one request.

        Raises:
            AllowanceSpentError: none is left, or no byte.
        """
        if self._requests <= 0 or self._size_bytes <= 0:
            raise AllowanceSpentError
        self._requests -= 1

    def received(self, size_bytes: int) -> None:
        """Count what came as an answer; the one that goes beyond is the last."""
        self._size_bytes -= size_bytes


_current: ContextVar[Allowance | None] = ContextVar("allowance", default=None)


def current_allowance() -> Allowance | None:
    """Return the allowance that this thread works with, if it has one."""
    return _current.get()
