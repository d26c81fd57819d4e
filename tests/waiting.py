"""Wait for a condition with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

_Value = TypeVar("_Value")

POLL_S = 0.02


def wait_until(
    condition: Callable[[], _Value | None],
    *,
    timeout_s: float = 15.0,
    poll_s: float = POLL_S,
    what: str,
) -> _Value:
    """Call ``condition`` every ``poll_s`` seconds; return its first true value.

    Raises:
        AssertionError: no value was true within ``timeout_s``; ``what`` names the condition.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"after {timeout_s} s still not: {what}")
        time.sleep(poll_s)
