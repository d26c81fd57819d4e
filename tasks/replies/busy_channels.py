"""Looks at busy channels: every few seconds at those in which something was just said.

A beat notes which licences are due, and some tasks take them one after the other. So a thousand
busy licences are a few tasks in the queue, and no more threads than their part.
"""

from __future__ import annotations

import math
import time

import structlog
from redis.exceptions import ConnectionError, TimeoutError

from ireserve_mattermost.locks import HeldLock, LockLostError
from tasks.app import app
from tasks.licences.shares import SLOW_S
from tasks.replies.catch_up import look_at_each, reachable
from tasks.replies.due_looks import DueLooks
from tasks.replies.live_channels import busy_channels_of, busy_licences
from tasks.replies.look import LookJob, look_again
from tasks.runtime import Runtime, current_runtime

log = structlog.get_logger(__name__)

# Licences for each task that looks: at 60 ms a look they take half of the three seconds.
LICENCES_A_TASK = 25
# No more than a worker of 8 has threads for looks.
MAX_TASKS = 40


@app.task(name="mattermost.collect_busy", send_events=False)
def collect_busy() -> str:
    """Let the busy channels be looked at, as a part of which this task looks itself."""
    runtime = current_runtime()
    licences = busy_licences(runtime.database)
    DueLooks(runtime.redis).add(licences)
    for _ in range(min(math.ceil(len(licences) / LICENCES_A_TASK), MAX_TASKS) - 1):
        app.send_task(look_at_busy.name, expires=runtime.settings.catch_up_busy_s)
    return f"{len(licences)} busy, {look_while_due(runtime)} looked at here"


@app.task(name="mattermost.look_at_busy", send_events=False)
def look_at_busy() -> str:
    """Look at busy channels until none is due, or the next tick is."""
    return f"{look_while_due(current_runtime())} looked at"


def look_while_due(runtime: Runtime) -> int:
    """Look at the channels of one due licence after the other; return of how many."""
    due = DueLooks(runtime.redis)
    ends_at = time.monotonic() + runtime.settings.catch_up_busy_s
    count = 0
    while time.monotonic() < ends_at and not runtime.stopping.is_set():
        look = due.take()
        if look is None:
            break
        took_s = _look_at_licence(runtime, look.licence_id)
        if took_s is not None:
            due.note(look, is_slow=took_s > SLOW_S)
            count += 1
    return count


def _look_at_licence(runtime: Runtime, licence_id: str) -> float | None:
    """Look at the licence's busy channels; return for how long.

    None: its share of the threads is taken.
    """
    if not runtime.look_shares.enter(licence_id):
        return None
    try:
        with runtime.look_shares.message(licence_id):
            began = time.monotonic()
            _look_alone(runtime, licence_id)
            return time.monotonic() - began
    finally:
        runtime.look_shares.leave(licence_id)


def _look_alone(runtime: Runtime, licence_id: str) -> None:
    """Look, unless a worker is at it already."""
    try:
        with runtime.locks.of_catch_up(licence_id) as lock:
            if lock is not None:
                _look(runtime, licence_id, lock)
    except LockLostError:
        log.warning("catch_up_lost", licence_id=licence_id)
    except (ConnectionError, TimeoutError):
        # Redis is away, and with it the list of what is due.
        raise
    except Exception as error:  # noqa: BLE001
        # The edge of the process: one licence must not cost the others their look. The error's
        # text may hold anything, its name does not.
        log.error("look_failed", licence_id=licence_id, error=type(error).__name__)


def _look(runtime: Runtime, licence_id: str, lock: HeldLock) -> None:
    licence = reachable(runtime, licence_id)
    if licence is None:
        return
    job = LookJob(runtime, licence, lock.extend)
    rate = job.client.headers.rate
    if rate is not None and rate.is_scarce(time.monotonic()):
        # What is left of the server's limit is for messages.
        log.info("busy_look_left_out", licence_id=licence_id, requests_left=rate.remaining)
        return
    look_at_each(job, busy_channels_of(runtime.database, licence_id), look_again)
