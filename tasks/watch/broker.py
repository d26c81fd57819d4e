"""Find out whether Redis takes and keeps messages: a Redis that answers may do neither."""

from __future__ import annotations

from dataclasses import dataclass

from redis import Redis
from redis.exceptions import NoPermissionError, OutOfMemoryError, ReadOnlyError

from ireserve_mattermost.lanes import PREFIX

# Each look writes this key, which expires at once.
PROBE = PREFIX + "probe"
PROBE_MS = 1_000
KEEPS_ALL = "noeviction"


@dataclass(frozen=True, slots=True)
class BrokerTrouble:
    """What is wrong with Redis, and what to do about it, in one sentence each."""

    what: str
    cure: str


FULL = BrokerTrouble(
    "Redis is full: it takes no message",
    "Raise maxmemory, and look with status at what waits.",
)
READ_ONLY = BrokerTrouble(
    "Redis is a replica, or was made one: it takes no message",
    "Point REDIS_URL at the primary; workers go on by themselves.",
)


def write_trouble(redis: Redis) -> BrokerTrouble | None:
    """Return why Redis refuses writes; None: it accepts them.

    Raises:
        redis.exceptions.RedisError: Redis cannot be asked.
    """
    try:
        redis.set(PROBE, 1, px=PROBE_MS)
    except OutOfMemoryError:
        return FULL
    except ReadOnlyError:
        return READ_ONLY
    return None


def durability_trouble(redis: Redis) -> BrokerTrouble | None:
    """Return how Redis, as configured, can lose what waits; None: it cannot, or we may not ask.

    Raises:
        redis.exceptions.RedisError: Redis cannot be asked.
    """
    try:
        policy = redis.info("memory").get("maxmemory_policy", KEEPS_ALL)
        keeps_file = redis.info("persistence").get("aof_enabled", 1)
    except NoPermissionError:
        return None
    if policy != KEEPS_ALL:
        return BrokerTrouble(
            f"Redis evicts keys when it is full (maxmemory-policy {policy}): what waits is lost",
            f"Set maxmemory-policy {KEEPS_ALL}, and give caches a Redis of their own.",
        )
    if not keeps_file:
        return BrokerTrouble(
            "Redis keeps no append-only file: what waits is lost when it ends",
            "Set appendonly yes, and write it into the configuration of Redis.",
        )
    return None


@dataclass(frozen=True, slots=True)
class RedisMemory:
    """How much memory Redis uses, and how much it may use (0: all there is), in bytes."""

    used_bytes: int = 0
    limit_bytes: int = 0


def memory_of(redis: Redis) -> RedisMemory:
    """Return how full Redis is; zeros: our user may not ask.

    Raises:
        redis.exceptions.RedisError: Redis cannot be asked.
    """
    try:
        memory = redis.info("memory")
    except NoPermissionError:
        return RedisMemory()
    return RedisMemory(int(memory["used_memory"]), int(memory.get("maxmemory", 0)))
