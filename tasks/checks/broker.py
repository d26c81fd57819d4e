"""Checks of Redis: whether it takes messages, keeps them, and has room for more."""

from __future__ import annotations

from redis import Redis
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    NoPermissionError,
    RedisError,
    ResponseError,
)

from ireserve_mattermost.unreadable import UNREADABLE, UNREADABLE_COUNTS, read_set_aside
from tasks.checks.check import Check, failed, passed, skipped, warned
from tasks.checks.clock import WARN_S
from tasks.watch.broker import durability_trouble, memory_of, write_trouble
from tasks.watch.redis_clock import clock_apart_s

NAME = "broker"
NO_BROKER = "the broker does not do its work"
# From this share of the memory on, there is little time left to act.
NEARLY_FULL = 0.8
_MIB = 1024 * 1024


def check_broker(redis: Redis, *, place: str) -> tuple[Check, bool]:
    """Check whether Redis takes messages and keeps them; ``place`` is its address for reports.

    Also returned is whether Redis takes messages. If not, its other checks can be skipped.
    """
    takes_messages = False
    try:
        trouble = write_trouble(redis)
        takes_messages = trouble is None
        trouble = trouble or durability_trouble(redis)
    except RedisError as error:
        return _refused(place, error), takes_messages
    if trouble is not None:
        return failed(NAME, f"{place}: {trouble.what}", trouble.cure), takes_messages
    return passed(NAME, f"Redis at {place} answers, takes messages and keeps them"), True


def _refused(place: str, error: RedisError) -> Check:
    """Return the failed check for an error of Redis."""
    address = "Check IRESERVE_MATTERMOST_REDIS_URL or REDIS_URL"
    match error:
        case AuthenticationError() | NoPermissionError():
            what, cure = "refuses the user or the password", f"{address}: user, password, rights."
        case BusyLoadingError():
            what, cure = "is still reading its file", "Wait until it has; nothing is lost."
        case ResponseError():
            # For instance MISCONF (the disk is full) or NOREPLICAS. The texts quote no data.
            said = str(error).partition(". ")[0]
            what, cure = f"writes nothing: {said}", "Look at Redis' log, and at its disk."
        case _:
            what = f"cannot be reached ({type(error).__name__})"
            cure = f"{address}, and that Redis runs."
    return failed(NAME, f"Redis at {place} {what}", cure)


def check_memory(redis: Redis) -> Check:
    """Check how much of its memory Redis uses."""
    name = "broker memory"
    try:
        memory = memory_of(redis)
    except RedisError:
        return skipped(name, NO_BROKER)
    if not memory.used_bytes:
        return skipped(name, "this user may not ask Redis (INFO)")
    used = f"{memory.used_bytes / _MIB:.0f} MiB"
    if not memory.limit_bytes:
        return warned(
            name,
            f"Redis uses {used} and has no limit: the machine may end it when memory is short",
            "Set maxmemory, with maxmemory-policy noeviction.",
        )
    share = memory.used_bytes / memory.limit_bytes
    sentence = f"Redis uses {used} of {memory.limit_bytes / _MIB:.0f} MiB ({share:.0%})"
    if share < NEARLY_FULL:
        return passed(name, sentence)
    return warned(
        name,
        f"{sentence}: when it is full, no message is taken",
        "Look with status at what waits, mend its cause, and raise maxmemory.",
    )


def check_redis_clock(redis: Redis) -> Check:
    """Compare Redis' clock with ours."""
    name = "broker clock"
    try:
        apart_s = clock_apart_s(redis)
    except RedisError:
        return skipped(name, NO_BROKER)
    sentence = f"Redis' clock and ours are {apart_s:.0f} s apart"
    if apart_s > WARN_S:
        return warned(
            name,
            f"{sentence}: delays are measured, and late messages found, by that much too long",
            "Let both machines set their clocks by the network (chrony, systemd-timesyncd).",
        )
    return passed(name, sentence)


def check_entries(redis: Redis) -> Check:
    """Check whether workers have set aside entries that they could not read."""
    try:
        found = read_set_aside(redis)
    except RedisError:
        return skipped("entries", NO_BROKER)
    if found.count:
        dropped = f", {found.dropped} of them dropped: the list is full" if found.dropped else ""
        return failed(
            "entries",
            f"entries that no worker could read were set aside: {found.count}{dropped}",
            f"Look at them in Redis' list {UNREADABLE}. Once they are dealt with, delete it and "
            f"{UNREADABLE_COUNTS}.",
        )
    return passed("entries", "every entry of the lanes could be read")
