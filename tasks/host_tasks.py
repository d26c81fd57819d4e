"""Sends i-Reserve's own tasks through the broker that i-Reserve and our workers share."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from kombu.exceptions import OperationalError

from ireserve_mattermost.wake_ups import shown
from tasks.app import app

# The time to the next attempt. The sweep makes the attempt, and needs the same broker.
TRY_AGAIN_AFTER = timedelta(seconds=5)


def send_host_task(
    task: str, arguments: Mapping[str, Any], *, queue: str, task_id: str, ids: Mapping[str, Any]
) -> bool:
    """Send the task once; return False if the broker is down.

    Flower and the logs may show ``ids``, and never show ``arguments``.
    """
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
        # The error's text may hold the broker's address with a password.
        return False
    return True
