"""Checks of the processes: our workers, beat, and i-Reserve's workers, which take the replies."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from celery import Celery
from kombu.exceptions import OperationalError as BrokerError
from redis import Redis
from redis.exceptions import RedisError

from ireserve_mattermost.connections import WORKER_CONNECT_TIMEOUT_S, WORKER_TIMEOUT_S
from ireserve_mattermost.wake_ups import DRAIN_LICENCE, QUEUE
from tasks.checks.broker import NO_BROKER
from tasks.checks.check import Check, failed, passed, skipped, warned
from tasks.watch.last_sweeps import last_sweep_at, last_sweep_s_ago, sweepers

# Workers on the same network answer within milliseconds, also while they are busy.
PING_TIMEOUT_S = 1.0
# The sweep runs every 5 s. If all workers are busy, a few sweeps may expire.
SWEEP_LATE_S = 60.0
# How long to wait for the next sweep, one and a half times the sweep's interval; and how often to
# look for the sweep meanwhile.
NEXT_SWEEP_S = 7.5
POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker that answered: its name, the queues that it reads, the tasks that it knows."""

    name: str
    queues: frozenset[str]
    tasks: frozenset[str]

    @property
    def is_ours(self) -> bool:
        """Whether the worker knows the task that sends our messages."""
        return DRAIN_LICENCE in self.tasks


def ask_workers(app: Celery) -> list[Worker]:
    """Return the workers that answer on the remote control channel of this application.

    Raises:
        kombu.exceptions.OperationalError, redis.exceptions.RedisError: the broker is down.
    """
    with inspecting(app) as inspect:
        queues = inspect.active_queues() or {}
        tasks = (inspect.registered() or {}) if queues else {}
    return [
        Worker(name, _names(read), frozenset(each.split()[0] for each in tasks.get(name, ())))
        for name, read in sorted(queues.items())
    ]


@contextmanager
def inspecting(app: Celery) -> Iterator[Any]:
    """Yield Celery's questions to the workers of this application, with a worker's time limits.

    The application's own limits are shorter, because i-Reserve's processes may not wait long.
    """
    times = {
        "socket_connect_timeout": WORKER_CONNECT_TIMEOUT_S,
        "socket_timeout": WORKER_TIMEOUT_S,
    }
    with app.connection_for_write(transport_options=times) as connection:
        yield app.control.inspect(timeout=PING_TIMEOUT_S, connection=connection)


def _names(queues: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    return frozenset(str(queue.get("name")) for queue in queues)


def any_application(app: Celery) -> Celery:
    """Return an application on the same broker that uses Celery's usual channel.

    i-Reserve's workers answer on that channel, and so do other workers with Celery's defaults.
    """
    usual = Celery("doctor", broker=app.conf.broker_url, set_as_current=False)
    usual.conf.broker_use_ssl = app.conf.broker_use_ssl
    return usual


def check_workers(workers: Sequence[Worker] | None, others: Sequence[Worker] | None) -> Check:
    """Return which of our workers are alive, and whether other workers read our queue.

    ``workers`` answered on our channel, ``others`` on Celery's usual one. Our workers of a version
    without a channel of its own are among the others. None: the broker could not be asked.
    """
    if workers is None or others is None:
        return skipped("workers", NO_BROKER)
    all_of_them = [*workers, *others]
    readers = [each for each in all_of_them if QUEUE in each.queues]
    strangers = sorted({each.name for each in readers if not each.is_ours})
    names = sorted({each.name for each in readers if each.is_ours})
    if strangers:
        return failed(
            "workers",
            f"workers of another application read our queue {QUEUE!r} and lose what they take: "
            f"{', '.join(strangers)}",
            "Give that application a queue or a Redis database of its own.",
        )
    if not names:
        return failed(
            "workers",
            f"no worker of the queue {QUEUE!r} answered within {PING_TIMEOUT_S:.0f} s",
            "Start one, with this REDIS_URL: see the Procfile.",
        )
    return passed("workers", f"alive: {', '.join(names)}")


@dataclass(frozen=True, slots=True)
class HostTask:
    """A task of i-Reserve: its check's name, its setting, and what holds without the setting."""

    name: str
    setting: str
    unset: str


REPLY_TASK = HostTask("reply task", "REPLY_TASK", "i-Reserve reads the tables")
OUTCOME_TASK = HostTask("outcome task", "OUTCOME_TASK", "i-Reserve is told of no failure")


def check_host_task(
    kind: HostTask,
    task: str | None,
    queue: str,
    workers: Sequence[Worker] | None,
    *,
    waiting: int,
) -> Check:
    """Return whether a worker of i-Reserve takes this task from ``queue``.

    ``workers`` answered on Celery's usual channel. ``waiting`` is the number of messages in the
    queue.
    """
    name = kind.name
    if task is None:
        return skipped(name, f"{kind.setting} is not set: {kind.unset}")
    if workers is None:
        return skipped(name, NO_BROKER)
    readers = [each for each in workers if queue in each.queues]
    if any(task in each.tasks for each in readers):
        return passed(name, f"{task} is known to a worker that reads the queue {queue!r}")
    if readers:
        return failed(
            name,
            f"no worker that reads the queue {queue!r} knows {task}: "
            f"{', '.join(each.name for each in readers)}",
            f"Check {kind.setting}, and that i-Reserve's worker imports the module of that task.",
        )
    return _without_reader(name, queue, waiting)


def _without_reader(name: str, queue: str, waiting: int) -> Check:
    sentence = f"no worker that reads the queue {queue!r} answered; messages in it: {waiting}"
    cure = (
        "Start i-Reserve's worker for that queue, on this Redis, or set REPLY_QUEUE to the queue "
        "that it reads."
    )
    # A worker without remote control does not answer, but may still take the replies.
    return (failed if waiting else warned)(name, sentence, cure)


def check_beat(redis: Redis) -> Check:
    """Check when the sweep ran last; a sweep needs beat, a worker and Redis."""
    try:
        seconds = last_sweep_s_ago(redis)
    except RedisError:
        return skipped("beat", NO_BROKER)
    if seconds is None or seconds > SWEEP_LATE_S:
        since = "has never run" if seconds is None else f"ran last {seconds:.0f} s ago"
        return failed(
            "beat",
            f"the sweep {since}: lost wake-ups are not made up for, and no catch-up runs",
            "Start beat, one of it, and a worker: see the Procfile.",
        )
    return passed("beat", f"the sweep ran {seconds:.0f} s ago")


def check_installation(redis: Redis, ours: str, *, wait_s: float = NEXT_SWEEP_S) -> Check:
    """Check whether the workers on this Redis read our database, whose name is ``ours``.

    A database's name changes with its first licence, and when its oldest licence is removed. So if
    our name is not among the last sweeps, the check waits for the next sweep.
    """
    name = "installation"
    try:
        seen = _with_the_next(redis, ours, wait_s)
    except RedisError:
        return skipped(name, NO_BROKER)
    if seen is None:
        return skipped(name, "no sweep runs")
    if _is_other(seen, ours):
        return failed(
            name,
            "workers on this Redis read another database than this command: messages of one "
            "installation are taken by the other, and fail",
            "Give each installation a Redis database of its own, and all of its processes the "
            "same DATABASE_URL and REDIS_URL.",
        )
    return passed(name, "the workers on this Redis read the same database as this command")


def _with_the_next(redis: Redis, ours: str, wait_s: float) -> Sequence[str] | None:
    """Return the databases of the last sweeps; wait for a new sweep if ours is not among them.

    None: no sweep has run for a minute, or the next one did not come in time.
    """
    ago_s = last_sweep_s_ago(redis)
    if ago_s is None or ago_s > SWEEP_LATE_S:
        return None
    began, deadline = last_sweep_at(redis), time.monotonic() + wait_s
    while ours not in (seen := sweepers(redis)):
        if last_sweep_at(redis) != began:
            return sweepers(redis)
        if time.monotonic() > deadline:
            return None
        time.sleep(POLL_S)
    return seen


def _is_other(seen: Sequence[str], ours: str) -> bool:
    """Return whether a sweep of another database came after a sweep of our database.

    The names of the newest sweeps come first.
    """
    if ours not in seen:
        return True
    our_oldest = len(seen) - 1 - list(reversed(seen)).index(ours)
    return any(each != ours for each in seen[:our_oldest])


def waiting_in(redis: Redis, queue: str) -> int:
    """Return how many messages are in a queue of another application; 0 if Redis is down."""
    try:
        return int(redis.llen(queue))
    except RedisError:
        return 0


def answering(app: Celery) -> list[Worker] | None:
    """Return the result of ``ask_workers``; None: the broker is down."""
    try:
        return ask_workers(app)
    except (BrokerError, RedisError):
        return None
