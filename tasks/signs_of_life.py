"""The signs of life that workers and beat leave in Redis, for the metrics."""

from __future__ import annotations

from socket import gethostname
from typing import Any

from celery.signals import after_task_publish, beat_init, heartbeat_sent

from ireserve_mattermost.connections import worker_redis
from settings import get_settings
from tasks.runtime import current_runtime
from tasks.watch.processes import ProcessKind, note_process


@heartbeat_sent.connect
def _note_worker(sender: Any = None, **_: Any) -> None:
    note_process(current_runtime().redis, ProcessKind.WORKER, sender.eventer.hostname)


@beat_init.connect
def _let_beat_show(**_: Any) -> None:
    """Let each task that beat publishes, the sweep at least, be its sign of life."""
    redis = worker_redis(get_settings().redis_url)

    def note(**_: Any) -> None:
        note_process(redis, ProcessKind.BEAT, gethostname())

    after_task_publish.connect(note, weak=False)
