"""Signs of life of single processes: workers and beat leave them in Redis, each under its name.

A sign says that the process's loop runs and writes to the Redis that the messages are in. It ends
by itself soon after its process.
"""

from __future__ import annotations

from contextlib import suppress
from socket import gethostname

from redis import Redis
from redis.exceptions import RedisError

from ireserve_mattermost.lanes import PREFIX

ALIVE = PREFIX + "alive:"
# Celery's workers beat every 2 s, and beat publishes the sweep every 5 s.
BEATS_FOR_S = 30
BEAT = "beat"


def here(name: str) -> str:
    """Return a process's name on this machine, in the form of Celery's own."""
    return f"{name}@{gethostname()}"


def note_alive(redis: Redis, name: str) -> None:
    """Leave the sign of a process. A Redis that is away shows in the process's own log."""
    with suppress(RedisError):
        redis.set(ALIVE + name, 1, ex=BEATS_FOR_S)


def alive_s_ago(redis: Redis, name: str) -> float | None:
    """Return how long ago the process left its sign; None: longer ago than it is kept.

    Raises:
        redis.exceptions.RedisError: Redis cannot be asked.
    """
    left_ms = redis.pttl(ALIVE + name)
    return None if left_ms < 0 else BEATS_FOR_S - left_ms / 1_000
