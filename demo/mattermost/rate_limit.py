"""Mattermost's limit of requests per second, with its headers."""

import math
import threading
import time
from collections import defaultdict
from dataclasses import dataclass

from demo.mattermost.options import Options


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a request is allowed, and the headers of its answer."""

    allowed: bool
    headers: dict[str, str]


class RateLimiter:
    """A leaky bucket for each key: each request adds a drop, and PerSec drops leak a second."""

    def __init__(self) -> None:
        """Begin with empty buckets."""
        self._lock = threading.Lock()
        # The time at which each bucket will be empty again.
        self._empty_at: dict[str, float] = defaultdict(float)

    def reset(self) -> None:
        """Empty all buckets, as a change of the settings does."""
        with self._lock:
            self._empty_at.clear()

    def ask(self, key: str, options: Options) -> Verdict:
        """Count one request of the key; return whether it is allowed."""
        interval_s = 1 / options.RateLimitPerSec
        size = options.RateLimitMaxBurst + 1
        now = time.monotonic()
        with self._lock:
            empty_at = max(self._empty_at[key], now) + interval_s
            allowed = empty_at - now <= size * interval_s
            if allowed:
                self._empty_at[key] = empty_at
            full_for_s = self._empty_at[key] - now
        headers = {
            "X-Ratelimit-Limit": str(size),
            "X-Ratelimit-Remaining": str(int(size - full_for_s / interval_s + 1e-9)),
            "X-Ratelimit-Reset": str(math.ceil(full_for_s)),
        }
        if not allowed:
            wait_s = empty_at - now - size * interval_s
            headers["Retry-After"] = str(max(1, math.ceil(wait_s)))
        return Verdict(allowed, headers)
