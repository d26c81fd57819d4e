"""The doctor asks workers for their queues and tasks, and checks which database they read."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery
from redis import Redis

from tasks.checks.check import Check
from tasks.checks.workers import ask_workers, check_installation
from tasks.watch.last_sweeps import note_sweep, note_sweeper
from tests.waiting import wait_until

TASK = "ireserve.record_reply"
# Another application in its own process, since a worker changes the logging of its process.
OTHER_APPLICATION = f"""
from celery import Celery

app = Celery("other_app")
app.conf.update(task_default_queue="celery", worker_hijack_root_logger=False)


@app.task(name={TASK!r})
def record_reply():
    pass
"""


@pytest.fixture
def other_worker(redis_url: str, tmp_path: Path) -> Iterator[None]:
    """A worker of another application on the same Redis."""
    (tmp_path / "other_app.py").write_text(OTHER_APPLICATION)
    command = [sys.executable, "-m", "celery", "--quiet", "--app", "other_app"]
    command += ["--broker", redis_url]
    with (tmp_path / "other_app.log").open("w") as log:
        process = subprocess.Popen(
            [*command, "worker", "--pool", "solo"], cwd=tmp_path, stdout=log, stderr=log
        )
        with process:
            yield
            process.kill()


@pytest.mark.usefixtures("other_worker")
def test_workers_tell_their_queues_and_tasks(redis_url: str) -> None:
    """Real workers answer with their queues and tasks."""
    app = Celery("doctor", broker=redis_url, set_as_current=False)

    (found,) = wait_until(lambda: ask_workers(app), what="a worker", timeout_s=30)

    assert (sorted(found.queues), TASK in found.tasks) == (["celery"], True)


@pytest.mark.parametrize(
    ("sweeps", "state"),
    [
        pytest.param("", "skip", id="no sweep"),
        pytest.param("aaa", "ok", id="ours alone"),
        pytest.param("aab", "ok", id="ours since the oldest licence was removed"),
        pytest.param("aba", "fail", id="in turn"),
        pytest.param("baa", "fail", id="another one's since ours"),
        pytest.param("bbb", "skip", id="no sweep since ours got its name"),
    ],
)
def test_another_installation_on_the_same_redis_is_named(
    redis_url: str, sweeps: str, state: str
) -> None:
    """The last sweeps, newest first, show whether workers of another database are on this Redis."""
    with Redis.from_url(redis_url) as redis:
        for database in reversed(sweeps):
            note_sweep(redis)
            note_sweeper(redis, database)

        check: Check = check_installation(redis, "a", wait_s=0.1)

    assert check.state.value == state


def test_sweep_that_is_another_ones_again_is_a_failure(redis_url: str) -> None:
    """The check fails if the next sweep is also of another database."""
    with Redis.from_url(redis_url) as redis:
        note_sweep(redis)
        note_sweeper(redis, "b")
        later = threading.Timer(0.3, note_sweep, [redis])
        later.start()

        check = check_installation(redis, "a", wait_s=5)
        later.join()

    assert check.state.value == "fail"
    assert "DATABASE_URL" in check.cure
