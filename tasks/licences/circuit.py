"""The circuit of each licence: closed while its server answers, open while it does not.

The state is in Redis, so that all workers share it. While a circuit is open, or a pause that the
server asked for (429) lasts, no worker sends from the licence's lanes. Only ``reach_of`` decides
what an answer means for the circuit.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import cast

from redis import Redis

from ireserve_mattermost.lanes import PREFIX
from tasks.failures import OwnTroubleError, UnansweredError
from tasks.mattermost import (
    MattermostError,
    NotSentError,
    OutcomeUnknownError,
    RateLimitedError,
    Reason,
)

# One or two failures can be accidents. After three in a row each further message would probably
# occupy a thread for up to 23 s.
FAILURES_TO_OPEN = 3
PROBE_EVERY_S = 30
# How long a worker uses a state without reading it again: it needs the state for each message.
CACHE_S = 1.0
# After this time without a change the count of failures is dropped.
FORGET_S = 3_600

# Open circuits, each with the time of its next probe (ms since 1970).
_OPEN = PREFIX + "circuits"

_COUNT_FAILURE = """
local failures = redis.call('HINCRBY', KEYS[1], 'failures', 1)
redis.call('EXPIRE', KEYS[1], ARGV[3])
if failures >= tonumber(ARGV[1]) then redis.call('ZADD', KEYS[2], 'NX', ARGV[4], ARGV[2]) end
return failures
"""
# An answer to a request from before the outage may come after the circuit has opened. Such an
# answer says nothing about the server's present state.
_COUNT_SUCCESS = """
if redis.call('ZSCORE', KEYS[2], ARGV[1]) then return 0 end
return redis.call('HDEL', KEYS[1], 'failures')
"""


# The statuses with which a proxy answers while its Mattermost is away.
GATEWAY_STATUSES = frozenset({502, 503, 504})
# How long to pause if a server asks for a pause without naming its length.
DEFAULT_PAUSE_S = 1.0


class Reach(StrEnum):
    """Whether a request reached the licence's server."""

    REACHED = "reached"
    PAUSE = "pause"
    AWAY = "away"
    UNKNOWN = "unknown"


def reach_of(error: Exception | None) -> Reach:
    """Return what a request's error says about the server; ``error`` None: the request succeeded.

    A refusal and a plain 500 are answers, so the request reached the server. A request that this
    process aborted, or an error of our own store, says nothing about the server.
    """
    if isinstance(error, OwnTroubleError):
        return Reach.UNKNOWN
    if isinstance(error, MattermostError) and error.reason is Reason.STOPPED:
        return Reach.UNKNOWN
    if isinstance(error, RateLimitedError):
        return Reach.PAUSE
    if isinstance(error, NotSentError | UnansweredError):
        return Reach.AWAY
    if isinstance(error, OutcomeUnknownError):
        is_answer = error.reason in {Reason.SERVER_ERROR, Reason.BEING_MADE}
        is_plain = is_answer and error.status not in GATEWAY_STATUSES
        return Reach.REACHED if is_plain else Reach.AWAY
    return Reach.REACHED


@dataclass(frozen=True, slots=True)
class CircuitState:
    """The state of a licence's circuit.

    ``failures`` is the number of failures in a row. ``blocked_until`` is in seconds since 1970; 0
    means that messages may be sent.
    """

    failures: int
    is_open: bool
    blocked_until: float

    def blocks(self, now: float) -> bool:
        """Return whether nothing may be sent from the licence's lanes at ``now``."""
        return self.is_open or now < self.blocked_until


class Circuits:
    """The circuits of all licences in one Redis database."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._count_failure = redis.register_script(_COUNT_FAILURE)
        self._count_success = redis.register_script(_COUNT_SUCCESS)
        self._cache: dict[str, tuple[float, CircuitState]] = {}

    def state(self, licence_id: str) -> CircuitState:
        """Return the state, at most ``CACHE_S`` old."""
        cached = self._cache.get(licence_id)
        if cached is not None and time.monotonic() - cached[0] < CACHE_S:
            return cached[1]
        return self.state_now(licence_id)

    def state_now(self, licence_id: str) -> CircuitState:
        """Read the present state from Redis and return it."""
        state = self.states([licence_id])[licence_id]
        self._cache[licence_id] = (time.monotonic(), state)
        return state

    def know(self, licence_id: str, circuit: Sequence[bytes | None]) -> None:
        """Use the state that another request has just read; see ``TakenLane.circuit``."""
        *values, probe_at_ms = circuit
        self._cache[licence_id] = (time.monotonic(), _state(values, probe_at_ms))

    def states(self, licence_ids: Sequence[str]) -> dict[str, CircuitState]:
        """Read the present states of these licences' circuits from Redis and return them."""
        with self._redis.pipeline(transaction=False) as pipeline:
            for licence_id in licence_ids:
                pipeline.hmget(_key(licence_id), "failures", "paused_until")
                pipeline.zscore(_OPEN, licence_id)
            answers = pipeline.execute()
        found = zip(licence_ids, answers[::2], answers[1::2], strict=True)
        return {
            licence_id: _state(values, probe_at_ms) for licence_id, values, probe_at_ms in found
        }

    def note(self, licence_id: str, error: Exception | None) -> Reach:
        """Record how a request to the licence's server ended; ``error`` None: it succeeded.

        The third request in a row that does not reach the server opens the circuit. Only ``close``
        closes it, since an answer can belong to a request from before the outage.
        """
        reach = reach_of(error)
        if isinstance(error, RateLimitedError):
            self.pause(licence_id, seconds=error.retry_after_s or DEFAULT_PAUSE_S)
        elif reach is Reach.AWAY:
            self._count_away(licence_id)
        elif reach is Reach.REACHED and self.state(licence_id).failures:
            # Without earlier failures Redis is not asked.
            self._count_success(keys=[_key(licence_id), _OPEN], args=[licence_id])
            self._cache.pop(licence_id, None)
        return reach

    def _count_away(self, licence_id: str) -> None:
        probe_at_ms = round((time.time() + PROBE_EVERY_S) * 1_000)
        self._count_failure(
            keys=[_key(licence_id), _OPEN],
            args=[FAILURES_TO_OPEN, licence_id, FORGET_S, probe_at_ms],
        )
        self._cache.pop(licence_id, None)

    def close(self, licence_id: str) -> None:
        """Close the circuit, so that the licence's messages are sent again."""
        with self._redis.pipeline() as pipeline:
            pipeline.hdel(_key(licence_id), "failures")
            pipeline.zrem(_OPEN, licence_id)
            pipeline.execute()
        self._cache.pop(licence_id, None)

    def pause(self, licence_id: str, *, seconds: float) -> None:
        """Send nothing for the licence for ``seconds``, because its server asked for this (429)."""
        with self._redis.pipeline() as pipeline:
            pipeline.hset(_key(licence_id), "paused_until", str(time.time() + seconds))
            pipeline.expire(_key(licence_id), FORGET_S)
            pipeline.execute()
        self._cache.pop(licence_id, None)

    def take_due_probes(self) -> list[str]:
        """Return the licences whose open circuit is due for a probe, and set the next probe."""
        now_ms = round(time.time() * 1_000)
        names = cast("list[bytes]", self._redis.zrangebyscore(_OPEN, 0, now_ms))
        with self._redis.pipeline(transaction=False) as pipeline:
            for name in names:
                pipeline.zadd(_OPEN, {name: now_ms + PROBE_EVERY_S * 1_000}, xx=True)
            pipeline.execute()
        return [name.decode() for name in names]


def _state(values: Sequence[bytes | None], probe_at_ms: float | bytes | None) -> CircuitState:
    failures, paused_until = values
    blocked_until = max(float(paused_until or 0), float(probe_at_ms or 0) / 1_000)
    return CircuitState(int(failures or 0), probe_at_ms is not None, blocked_until)


def _key(licence_id: str) -> str:
    return f"{PREFIX}circuit:{licence_id}"
