"""Sends i-Reserve a task of its own, on the broker that it shares with our workers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from kombu.exceptions import OperationalError

from ireserve_mattermost.wake_ups import shown
from tasks.app import app

# The sweep runs by the same broker, so that it comes back when the broker does.
PAUSE = timedelta(seconds=5)


def send_host_task(
    task: str, arguments: Mapping[str, Any], *, queue: str, task_id: str, ids: Mapping[str, Any]
) -> bool:
    """Send the task once; False: the broker is down. Flower and the logs may show the ``ids``."""
    try:
        app.send_task(
            task,
            kwargs=dict(arguments),
            queue=queue,
            task_id=task_id,
            argsrepr="()",
            kwargsrepr=shown(ids),
            ignore_result=True,
        )
    except OperationalError:
        # Its text may hold the broker's address with a password.
        return False
    return True
