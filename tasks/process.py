"""How worker and beat start and stop: limits of Redis, threads, logs, error reports."""

from __future__ import annotations

import ctypes
import gc
import sys
from contextlib import suppress
from typing import Any

import structlog
from celery.concurrency import get_implementation
from celery.signals import (
    beat_init,
    celeryd_after_setup,
    celeryd_init,
    setup_logging,
    task_failure,
    task_postrun,
    task_prerun,
    worker_init,
    worker_ready,
    worker_shutting_down,
)
from redis.exceptions import RedisError
from structlog.contextvars import bind_contextvars, clear_contextvars

from ireserve_mattermost.connections import WORKER_CONNECT_TIMEOUT_S, WORKER_TIMEOUT_S
from models import KeyRing, KeyRingError
from settings import get_settings
from tasks.licences.shares import THREADS_PER_MESSAGE
from tasks.queue import use_checked_queue
from tasks.runtime import current_runtime, set_threads
from tasks.watch.broker import loses_messages
from tasks.watch.error_reports import report_error, start_error_reports
from tasks.watch.logs import configure_logs, tell_mistyped_names

log = structlog.get_logger(__name__)

# What large answers leave free in one thread's heap no other thread can use.
HEAPS = 2
# Source: malloc.h of glibc.
M_ARENA_MAX = -8
M_MMAP_THRESHOLD = -3
# glibc's own first value; left alone, it grows to 32 MiB with the largest block that was freed.
LARGE_BLOCK_BYTES = 128 * 1_024
# kombu asks the server whether it is there when nothing came for this time.
HEALTH_CHECK_S = 5


@celeryd_init.connect
def _set_limits_of_redis(conf: Any = None, **_: Any) -> None:
    use_checked_queue()
    # A Redis that takes nothing for a while (a replica, full, still loading) is waited for as one
    # that is away; otherwise its refusal ends the worker.
    conf.broker_channel_error_retry = True
    conf.broker_transport_options = {
        "socket_connect_timeout": WORKER_CONNECT_TIMEOUT_S,
        "socket_timeout": WORKER_TIMEOUT_S,
        "health_check_interval": HEALTH_CHECK_S,
        # A wake-up that is lost with its worker costs seconds, see ADR 15. To write down what was
        # taken, and again that it is over, takes a question to Redis each.
        "ack_emulation": False,
    }


@celeryd_init.connect
def _share_memory(**_: Any) -> None:
    """Let the threads that are to come share two heaps, and give large blocks back at once.

    Otherwise each keeps a heap of its own at its largest. These are settings of glibc; another C
    library has its own way, and is left alone.
    """
    with suppress(AttributeError):
        set_option = ctypes.CDLL(None).mallopt
        set_option(M_ARENA_MAX, HEAPS)
        set_option(M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES)


@celeryd_init.connect
def _check_keys(**_: Any) -> None:
    """End a worker that could read no token with one sentence, before it takes a message."""
    try:
        KeyRing([key.get_secret_value() for key in get_settings().encryption_keys])
    except KeyRingError as error:
        print(error, file=sys.stderr)  # noqa: T201 - there is no log yet
        raise SystemExit(1) from None


# Their loop and our threads wait for each other for ever.
REFUSED_POOLS = ("gevent", "eventlet")


# Before the pool is made, whose size it changes.
@worker_init.connect
def _count_threads(sender: Any = None, **_: Any) -> None:
    pool = get_implementation(sender.pool_cls)
    kind = pool.__module__.rpartition(".")[2]
    if kind in REFUSED_POOLS:
        raise SystemExit(f"worker: --pool {kind} does not work here: use --pool threads")
    if not pool.__module__.endswith("thread"):
        set_threads(1)
        return
    # What runs at once is what was asked for; threads that wait for a slow server come on top.
    set_threads(sender.concurrency)
    sender.concurrency *= THREADS_PER_MESSAGE


# The first one comes before a worker warns of anything.
@celeryd_init.connect
@setup_logging.connect
def _set_up_logs(**_: Any) -> None:
    settings = get_settings()
    configure_logs(level=settings.log_level, log_format=settings.log_format)


@celeryd_after_setup.connect
def _report_workers_errors(**_: Any) -> None:
    if start_error_reports(get_settings(), process="worker"):
        task_failure.connect(_report_failure)


@celeryd_after_setup.connect
def _look_at_redis(**_: Any) -> None:
    """Say at once which Redis it is, and if it is set up to lose messages."""
    log.info("worker_started", redis=get_settings().redis_label)
    tell_mistyped_names()
    try:
        trouble = loses_messages(current_runtime().redis)
    except RedisError:
        # The worker waits for Redis, and its log says so.
        return
    if trouble is not None:
        log.error("redis_loses_messages", what=trouble.what, cure=trouble.cure)


@beat_init.connect
def _start_beat(**_: Any) -> None:
    start_error_reports(get_settings(), process="beat")
    # Of what beat itself logs only warnings are shown: it has a line for each task.
    log.info("beat_started", redis=get_settings().redis_label)
    tell_mistyped_names()


@worker_ready.connect
def _leave_what_is_loaded_to_itself(**_: Any) -> None:
    """Let the garbage collector never look again at what was loaded, which stays for good.

    It is 130,000 objects: a look at all of them would hold every thread up for some 70 ms.
    """
    gc.collect()
    gc.freeze()


def _report_failure(sender: Any = None, task_id: str = "", exception: Any = None, **_: Any) -> None:
    report_error(exception, transaction=sender.name, task_id=task_id)


@task_prerun.connect
def _bind_ids(task_id: str = "", task: Any = None, kwargs: Any = None, **_: Any) -> None:
    ids = {name: (kwargs or {}).get(name) for name in ("licence_id", "conversation_id")}
    bind_contextvars(
        task_id=task_id, task=task.name, **{name: value for name, value in ids.items() if value}
    )


@task_postrun.connect
def _clear_ids(**_: Any) -> None:
    clear_contextvars()


@worker_shutting_down.connect
def _stop_draining(**_: Any) -> None:
    """Let each thread finish the message it is at; the rest waits in its lane for the next."""
    current_runtime().stopping.set()
