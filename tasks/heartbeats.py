"""Heartbeats of workers and beats, which are kept in Redis for ``alive`` and the metrics."""

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
def _note_beat(**_: Any) -> None:
    """Note that beat is running whenever beat publishes a task, at least the sweep every 5 s."""
    redis = worker_redis(get_settings().redis_url)

    def note(**_: Any) -> None:
        note_process(redis, ProcessKind.BEAT, gethostname())

    after_task_publish.connect(note, weak=False)
