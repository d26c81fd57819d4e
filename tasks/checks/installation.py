"""What is ours: database, schema, keys, broker, workers and beat."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from celery import Celery
from kombu.exceptions import OperationalError as BrokerError
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from ireserve_mattermost.connections import WORKER_CONNECT_TIMEOUT_S, WORKER_TIMEOUT_S
from ireserve_mattermost.lanes import UNREADABLE
from ireserve_mattermost.wake_ups import QUEUE
from models import Database, KeyRing, KeyRingError, Licence
from models.limits import within
from models.migrations import schema_state
from tasks.checks.check import Check, failed, passed, skipped, warned
from tasks.watch.broker import loses_messages, takes_no_message, unreadable_entries
from tasks.watch.signs import last_sweep_s_ago

# A server that stands still is found out within this time.
DATABASE_WITHIN_S = 10.0
# Workers on the same network answer within milliseconds; one at work answers all the same.
PING_TIMEOUT_S = 1.0
# The sweep runs every 5 s; workers that are all busy may let a few of them go by.
SWEEP_LATE_S = 60.0


def check_database(database: Database) -> Check:
    """Look whether the database can be reached and has the newest schema."""
    try:
        with within(DATABASE_WITHIN_S):
            state, is_read_only = schema_state(database), database.is_read_only()
    except SQLAlchemyError as error:
        return failed(
            "database",
            f"the database cannot be reached ({type(error).__name__})",
            "Check DATABASE_URL, and that the database server runs.",
        )
    if not state.is_current:
        return failed(
            "database",
            f"the schema is at revision {state.current or 'none'}, the newest is {state.newest}",
            "Run: ireserve-mattermost db upgrade.",
        )
    if is_read_only:
        return failed(
            "database",
            "the database answers and takes nothing: it is read-only",
            "Point DATABASE_URL at the primary server, or at a file that this user may write.",
        )
    return passed("database", f"reachable, schema at revision {state.current}")


def check_limits(database: Database) -> Check:
    """Look whether PostgreSQL itself ends what takes too long."""
    name = "database limits"
    try:
        with within(DATABASE_WITHIN_S):
            limit_s = database.statement_limit_s()
    except SQLAlchemyError:
        return skipped(name, "the database does not answer")
    if not limit_s:
        return warned(
            name,
            "PostgreSQL ends no statement by itself: a pooler does not pass our limits on",
            "Set them for the role: see PgBouncer in docs/operating.md.",
        )
    return passed(name, "PostgreSQL ends statements, waits for locks and idle transactions")


def check_keys(database: Database, keyring: Callable[[], KeyRing]) -> Check:
    """Look whether every stored bot token can be decrypted."""
    name = "encryption keys"
    try:
        ring = keyring()
        with database.snapshot() as session:
            stored = session.execute(select(Licence.id, Licence.bot_token_encrypted)).all()
    except KeyRingError as error:
        return failed(name, str(error), "Set ENCRYPTION_KEYS as it was when tokens were stored.")
    except SQLAlchemyError:
        return skipped(name, "the database does not answer")
    locked = [licence_id for licence_id, encrypted in stored if not _opens(ring, encrypted)]
    if locked:
        return failed(
            name,
            f"no key decrypts the bot token of: {', '.join(sorted(locked))}",
            "Put the key that they were stored with back on ENCRYPTION_KEYS.",
        )
    return passed(name, f"bot tokens that decrypt: {len(stored)} of {len(stored)}")


def _opens(ring: KeyRing, encrypted: str) -> bool:
    try:
        ring.decrypt(encrypted)
    except KeyRingError:
        return False
    return True


def check_broker(redis: Redis, *, place: str) -> Check:
    """Look whether the Redis at this place takes messages, and keeps them."""
    try:
        trouble = takes_no_message(redis) or loses_messages(redis)
    except RedisError as error:
        return failed(
            "broker",
            f"Redis at {place} cannot be reached ({type(error).__name__})",
            "Check IRESERVE_MATTERMOST_REDIS_URL or REDIS_URL, and that Redis runs.",
        )
    if trouble is not None:
        return failed("broker", f"{place}: {trouble.what}", trouble.cure)
    return passed("broker", f"Redis at {place} answers, takes messages and keeps them")


def check_entries(redis: Redis) -> Check:
    """Look whether entries were set aside that no worker could read."""
    try:
        count = unreadable_entries(redis)
    except RedisError:
        return skipped("entries", "the broker does not answer")
    if count:
        return failed(
            "entries",
            f"entries that no worker could read were set aside: {count}",
            f"Look at them in Redis' list {UNREADABLE}, and delete it once they are dealt with.",
        )
    return passed("entries", "every entry of the lanes could be read")


def check_workers(app: Celery) -> Check:
    """Ask which of our workers are alive; the broker must be there.

    Another application's workers on the same Redis answer too: they take nothing from our queue.
    """
    # The application's own times are those of i-Reserve's processes, which have no time to wait.
    times = {
        "socket_connect_timeout": WORKER_CONNECT_TIMEOUT_S,
        "socket_timeout": WORKER_TIMEOUT_S,
    }
    try:
        with app.connection_for_write(transport_options=times) as connection:
            inspect = app.control.inspect(timeout=PING_TIMEOUT_S, connection=connection)
            names = sorted(_ours(inspect.active_queues() or {}))
    except (BrokerError, RedisError):
        return skipped("workers", "the broker does not answer")
    if not names:
        return failed(
            "workers",
            f"no worker of the queue {QUEUE!r} answered within {PING_TIMEOUT_S:.0f} s",
            "Start one, with this REDIS_URL: see the Procfile.",
        )
    return passed("workers", f"alive: {', '.join(names)}")


def _ours(queues: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[str]:
    """Yield the names of the workers that take from our queue."""
    for worker, consumed in queues.items():
        if any(queue.get("name") == QUEUE for queue in consumed):
            yield worker


def check_beat(redis: Redis) -> Check:
    """Look when the sweep ran last, which takes beat and a worker."""
    try:
        seconds = last_sweep_s_ago(redis)
    except RedisError:
        return skipped("beat", "the broker does not answer")
    if seconds is None or seconds > SWEEP_LATE_S:
        since = "has never run" if seconds is None else f"ran last {seconds:.0f} s ago"
        return failed(
            "beat",
            f"the sweep {since}: lost wake-ups are not made up for, and no catch-up runs",
            "Start beat, one of it, and a worker: see the Procfile.",
        )
    return passed("beat", f"the sweep ran {seconds:.0f} s ago")
