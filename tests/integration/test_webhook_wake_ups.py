"""Wake-ups for new replies: which task messages are published, also without a broker."""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from celery import Celery
from redis import Redis
from structlog.testing import capture_logs

from demo.ports import free_port
from inbound.wake_ups import MAX_BATCH, PAUSE_S, WakeUps
from tasks.wake import RESOLVE_REPLY
from tests.stage.deployment import ROOT
from tests.stage.task_messages import published
from tests.waiting import wait_until

QUEUE = "mattermost"
# Far less than an attempt to connect to a hanging broker takes.
AT_ONCE_S = 1.0

# A process that forks after its wake-up thread has run, like a web server with preloading.
FORKING = """
import os, sys
from celery import Celery
from redis import Redis
from inbound.wake_ups import WakeUps
from tests.waiting import wait_until

url = sys.argv[1]
app = Celery(broker=url)
app.conf.task_default_queue = "mattermost"
wake_ups = WakeUps(app, redis=lambda: Redis.from_url(url))

def published():
    with Redis.from_url(url) as redis:
        return redis.llen("mattermost")

wake_ups.add(1, licence_id="L1")
wait_until(lambda: published() == 1, what="the parent's wake-up")
child = os.fork()
wake_ups.add(2 if child == 0 else 3, licence_id="L1")
wait_until(lambda: published() >= 3, what="the wake-ups of both")
if child:
    os.waitpid(child, 0)
os._exit(0)
"""


def celery_at(redis_url: str) -> Celery:
    """Return a Celery application that publishes to this address into our queue."""
    made = Celery(broker=redis_url)
    made.conf.task_default_queue = QUEUE
    return made


def wake_ups_at(redis_url: str, **options: int) -> WakeUps:
    """Return a publisher of wake-ups to this address."""
    return WakeUps(celery_at(redis_url), redis=lambda: Redis.from_url(redis_url), **options)


def woken(redis_url: str) -> list[list[int]]:
    """Return the replies that each task message names, oldest first."""
    return [message.keywords["reply_ids"] for message in published(redis_url, QUEUE)]


def test_wake_up_names_the_task_and_shows_ids_alone(redis_url: str) -> None:
    """One new reply publishes one message, whose shown arguments are only ids."""
    wake_ups_at(redis_url).add(7, licence_id="L1")

    ((headers, keywords),) = wait_until(lambda: published(redis_url, QUEUE), what="a task message")

    shown = (headers["task"], headers["argsrepr"], headers["kwargsrepr"])
    assert shown == (RESOLVE_REPLY, "()", "L1, reply_ids=[7]")
    assert keywords["reply_ids"] == [7]


def test_replies_of_a_burst_are_published_together(redis_url: str) -> None:
    """A burst of replies is published in order, in few messages of limited size."""
    wake_ups = wake_ups_at(redis_url)
    burst = list(range(1, 4 * MAX_BATCH + 1))

    began = time.monotonic()
    for reply_id in burst:
        wake_ups.add(reply_id, licence_id="L1")
    pauses = (time.monotonic() - began) / PAUSE_S

    wait_until(lambda: sum(map(len, woken(redis_url))) == len(burst), what="the whole burst")
    batches = woken(redis_url)
    assert list(itertools.chain(*batches)) == burst
    assert max(map(len, batches)) == MAX_BATCH
    # The full messages, the first and the last, and one for each pause of a slow machine.
    assert len(batches) <= len(burst) / MAX_BATCH + 2 + pauses


def test_child_of_a_fork_publishes_its_own(redis_url: str) -> None:
    """Parent and child of a fork each publish only their own replies."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKING, redis_url],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(itertools.chain(*woken(redis_url))) == [1, 2, 3]


def test_unforeseen_error_ends_no_wake_up_but_its_own(redis_url: str) -> None:
    """An unexpected error loses only its own wake-up, and logs only its type."""

    def closed() -> Redis:
        raise ValueError("I/O operation on closed file, with a word of the team")

    wake_ups = WakeUps(celery_at(redis_url), redis=closed)
    with capture_logs() as logs:
        wake_ups.note_own_post("a" * 26)
        wait_until(lambda: logs, what="the error")
        wake_ups.add(7, licence_id="L1")
        reply_ids = wait_until(lambda: woken(redis_url), what="a wake-up")

    assert [(line["event"], line["error"]) for line in logs] == [("wake_ups_failed", "ValueError")]
    assert reply_ids == [[7]]


@pytest.mark.measures_time
def test_no_caller_waits_for_a_broker_that_is_not_there() -> None:
    """Adding returns at once, even if the queue of wake-ups is full."""
    wake_ups = wake_ups_at(f"redis://127.0.0.1:{free_port()}/0", max_items=MAX_BATCH)
    reply_ids = range(20 * MAX_BATCH)

    with capture_logs() as logs:
        started = time.monotonic()
        for reply_id in reply_ids:
            wake_ups.add(reply_id, licence_id="L1")
        took_s = time.monotonic() - started

        # The publisher's thread must finish before the next test reads the output.
        wait_until(lambda: _given_up(logs) == set(reply_ids), what="the last attempt")

    assert took_s < AT_ONCE_S


def _given_up(logs: Sequence[Mapping[str, Any]]) -> set[int]:
    """Return the replies for which the log says that no wake-up was sent."""
    ids = [line.get("reply_ids") or [line["reply_id"]] for line in logs]
    return set(itertools.chain.from_iterable(ids))
