"""Starts and stops workers and beat: time limits for Redis, threads, logs, error reports."""

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
from tasks.watch.broker import durability_trouble
from tasks.watch.error_reports import report_error, start_error_reports
from tasks.watch.logs import configure_logs, log_mistyped_names

log = structlog.get_logger(__name__)

# The number of heaps for all threads: no thread can use the free memory of another heap.
HEAPS = 2
# Source: malloc.h of glibc.
M_ARENA_MAX = -8
M_MMAP_THRESHOLD = -3
# glibc's initial value. Unless it is set, glibc raises it when it frees larger blocks, to 32 MiB.
LARGE_BLOCK_BYTES = 128 * 1_024
# kombu checks the connection to Redis after this time without an answer.
HEALTH_CHECK_S = 5


@celeryd_init.connect
def _set_limits_of_redis(conf: Any = None, **_: Any) -> None:
    use_checked_queue()
    # Redis may refuse writes for a while: as a replica, when it is full, or while it loads. The
    # worker then waits as for a lost connection; otherwise the refusal would end it.
    conf.broker_channel_error_retry = True
    conf.broker_transport_options = {
        "socket_connect_timeout": WORKER_CONNECT_TIMEOUT_S,
        "socket_timeout": WORKER_TIMEOUT_S,
        "health_check_interval": HEALTH_CHECK_S,
        # Acknowledgements would add two requests to Redis for each wake-up. A wake-up that is lost
        # with its worker costs only seconds: see ADR 15.
        "ack_emulation": False,
    }


@celeryd_init.connect
def _share_memory(**_: Any) -> None:
    """Make later threads share ``HEAPS`` heaps, and return large blocks to the system at once.

    Otherwise each thread has a heap that stays at its largest size. These are options of glibc;
    other C libraries keep their defaults.
    """
    with suppress(AttributeError):
        set_option = ctypes.CDLL(None).mallopt
        set_option(M_ARENA_MAX, HEAPS)
        set_option(M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES)


@celeryd_init.connect
def _check_keys(**_: Any) -> None:
    """Exit with one sentence if the encryption keys are wrong, before the first message."""
    try:
        KeyRing([key.get_secret_value() for key in get_settings().encryption_keys])
    except KeyRingError as error:
        print(error, file=sys.stderr)  # noqa: T201 - there is no log yet
        raise SystemExit(1) from None


# The event loop of these pools and our threads would wait for each other for ever.
REFUSED_POOLS = ("gevent", "eventlet")


# On ``worker_init``, because Celery makes the pool after it, and this changes the pool's size.
@worker_init.connect
def _count_threads(sender: Any = None, **_: Any) -> None:
    pool = get_implementation(sender.pool_cls)
    kind = pool.__module__.rpartition(".")[2]
    if kind in REFUSED_POOLS:
        raise SystemExit(f"worker: --pool {kind} does not work here: use --pool threads")
    if not pool.__module__.endswith("thread"):
        set_threads(1)
        return
    # The option --concurrency is the number of messages at once. Threads that wait for a slow
    # server come in addition.
    set_threads(sender.concurrency)
    sender.concurrency *= THREADS_PER_MESSAGE


# ``celeryd_init`` comes before the first warning of a worker.
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
    """Log the address of Redis, and an error if Redis is configured to lose messages."""
    log.info("worker_started", redis=get_settings().redis_label)
    log_mistyped_names()
    try:
        trouble = durability_trouble(current_runtime().redis)
    except RedisError:
        # The worker waits for Redis, and Celery logs that.
        return
    if trouble is not None:
        log.error("redis_loses_messages", what=trouble.what, cure=trouble.cure)


@beat_init.connect
def _start_beat(**_: Any) -> None:
    start_error_reports(get_settings(), process="beat")
    # Beat's own logger shows only warnings, because it logs a line for each task.
    log.info("beat_started", redis=get_settings().redis_label)
    log_mistyped_names()


@worker_ready.connect
def _freeze_loaded_objects(**_: Any) -> None:
    """Exclude all present objects from garbage collection: they stay until the process ends.

    They are 130,000 objects, and one collection of them would stop every thread for about 70 ms.
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
    """Let each thread finish its current message; the others wait in their lanes."""
    current_runtime().stopping.set()
