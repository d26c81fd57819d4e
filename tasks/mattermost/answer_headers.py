"""Read a server's clock and its rate limit from the headers of its answers.

The values are used within bounds only, so that a wrong value affects only the server's own licence.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

# The Date header has whole seconds.
_SECOND_MS = 1_000
# How far a server's clock may differ from our clock. A larger difference is ignored.
MAX_APART_MS = 86_400_000
# No server's limit or reset has more digits.
_MAX_DIGITS = 9
# A later reset of the rate limit is treated as this one.
MAX_RESET_S = 60.0


@dataclass(frozen=True, slots=True)
class RateLimit:
    """A server's rate limit: requests in all, requests left, and when it resets (``monotonic``)."""

    limit: int
    remaining: int
    resets_at: float

    def is_scarce(self, now: float) -> bool:
        """Return whether less than half of the requests are left at ``now`` (by ``monotonic``)."""
        return now < self.resets_at and self.remaining * 2 < self.limit


@dataclass(frozen=True, slots=True)
class AnswerHeaders:
    """The last answer's ``Date`` header, the time ``at_ms`` when it came, and the rate limit."""

    date: str = ""
    at_ms: int = 0
    rate: RateLimit | None = None

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> AnswerHeaders:
        """Read the headers of an answer; ignore what cannot be read."""
        return cls(headers.get("Date", ""), _now_ms(), _rate_of(headers))

    def now_ms(self) -> int:
        """Return the latest time that the server's clock can show now, or our time if unknown."""
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
