"""What the headers of a server's answers say of the server: its clock, and its limit of requests.

All of it is believed within bounds: a server that lies here harms its own licence alone.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

# A header has whole seconds.
_SECOND_MS = 1_000
# What a server may be ahead of us or behind; what is beyond is not believed.
MAX_APART_MS = 86_400_000
# More digits than the limits and seconds of any server.
_MAX_DIGITS = 9
# No limit of a server is told to be used up for longer.
MAX_RESET_S = 60.0


@dataclass(frozen=True, slots=True)
class RateLimit:
    """How many requests a server takes at once, how many of them are left, and until when."""

    limit: int
    remaining: int
    resets_at: float

    def is_scarce(self, now: float) -> bool:
        """Return whether less than half is left, at this moment by ``monotonic``."""
        return now < self.resets_at and self.remaining * 2 < self.limit


@dataclass(frozen=True, slots=True)
class AnswerHeaders:
    """What the last answer said; ``date`` is its header as it came, at our time ``at_ms``."""

    date: str = ""
    at_ms: int = 0
    rate: RateLimit | None = None

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> AnswerHeaders:
        """Read the headers; what is none or cannot be read says nothing."""
        return cls(headers.get("Date", ""), _now_ms(), _rate_of(headers))

    def now_ms(self) -> int:
        """Return the latest that the server's clock can show now; ours where it says nothing."""
        ours = _now_ms()
        ahead = self._ahead_ms()
        return ours + (ahead if abs(ahead) <= MAX_APART_MS else 0)

    def _ahead_ms(self) -> int:
        try:
            told = parsedate_to_datetime(self.date).timestamp()
        except (ValueError, TypeError, OverflowError, IndexError):
            return 0
        return round(told * 1_000) + _SECOND_MS - self.at_ms


def _rate_of(headers: Mapping[str, str]) -> RateLimit | None:
    names = ("X-Ratelimit-Limit", "X-Ratelimit-Remaining", "X-Ratelimit-Reset")
    limit, remaining, reset_s = (_number(headers.get(name, "")) for name in names)
    if limit is None or remaining is None or reset_s is None:
        return None
    return RateLimit(limit, remaining, time.monotonic() + min(reset_s, MAX_RESET_S))


def _number(text: str) -> int | None:
    is_number = text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS
    return int(text) if is_number else None


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
