"""Which workers the doctor counts, on a Redis that other applications use as well."""

from __future__ import annotations

import pytest
from celery import Celery
from celery.contrib.testing.worker import start_worker

from tasks.checks.installation import check_workers


@pytest.mark.parametrize(
    ("queue", "state"),
    [
        pytest.param("celery", "fail", id="another application's"),
        pytest.param("mattermost", "ok", id="ours"),
    ],
)
def test_only_workers_of_our_queue_count(redis_url: str, queue: str, state: str) -> None:
    """i-Reserve's own workers on the same Redis answer too, and send nothing."""
    app = Celery("beside", broker=redis_url)
    app.conf.update(task_default_queue=queue, worker_hijack_root_logger=False)

    with start_worker(app, pool="solo", perform_ping_check=False):
        check = check_workers(app)

    assert check.state.value == state
