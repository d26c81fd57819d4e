"""Looks at busy channels, every few seconds: channels with a recent message or reply.

Beat starts one task for each tick. That task lists the due licences and starts a few more tasks,
all of which take licences from the list. So a thousand busy licences need few tasks and threads.
"""

from __future__ import annotations

import math
import time

import structlog
from redis.exceptions import ConnectionError, TimeoutError

from ireserve_mattermost.locks import HeldLock, LockLostError
from tasks.app import app
from tasks.licences.shares import SLOW_S
from tasks.replies.catch_up import look_at_each, reachable_licence
from tasks.replies.due_looks import DueLooks
from tasks.replies.live_channels import busy_channels_of, busy_licences
from tasks.replies.look import LookJob, look_at_recent_changes
from tasks.runtime import Runtime, current_runtime

log = structlog.get_logger(__name__)

# The licences for each task: at 60 ms a look they take half of the three seconds between two ticks.
LICENCES_A_TASK = 25
# A worker that sends 8 messages at once has 64 threads for looks, more than these tasks use.
MAX_TASKS = 40


@app.task(name="mattermost.collect_busy", send_events=False)
def collect_busy() -> str:
    """Start the tasks that look at busy channels, and look at channels here as well."""
    runtime = current_runtime()
    licences = busy_licences(runtime.database)
    DueLooks(runtime.redis).add(licences)
    for _ in range(min(math.ceil(len(licences) / LICENCES_A_TASK), MAX_TASKS) - 1):
        app.send_task(look_at_busy.name, expires=runtime.settings.catch_up_busy_s)
    return f"{len(licences)} busy, {look_while_due(runtime)} looked at here"


@app.task(name="mattermost.look_at_busy", send_events=False)
def look_at_busy() -> str:
    """Look at busy channels until no licence is due or the next tick comes."""
    return f"{look_while_due(current_runtime())} looked at"


def look_while_due(runtime: Runtime) -> int:
    """Look at the busy channels of due licences; return for how many licences."""
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
    """Look at the licence's busy channels; return how many seconds this took.

    None: the licence already uses its share of the threads.
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
    """Look at the licence's busy channels, unless another worker does."""
    try:
        with runtime.locks.of_catch_up(licence_id) as lock:
            if lock is not None:
                _look(runtime, licence_id, lock)
    except LockLostError:
        log.warning("catch_up_lost", licence_id=licence_id)
    except (ConnectionError, TimeoutError):
        # Without Redis there is no list of due licences, so the task ends.
        raise
    except Exception as error:  # noqa: BLE001
        # One licence must not prevent the looks at others, so all errors end here. The error's text
        # may hold personal data, so only its name is logged.
        log.error("look_failed", licence_id=licence_id, error=type(error).__name__)


def _look(runtime: Runtime, licence_id: str, lock: HeldLock) -> None:
    licence = reachable_licence(runtime, licence_id)
    if licence is None:
        return
    job = LookJob(runtime, licence, lock.extend)
    rate = job.client.answer_headers.rate
    if rate is not None and rate.is_scarce(time.monotonic()):
        # The few requests that the server's limit still allows are kept for messages.
        log.info("busy_look_left_out", licence_id=licence_id, requests_left=rate.remaining)
        return
    look_at_each(job, busy_channels_of(runtime.database, licence_id), look_at_recent_changes)
