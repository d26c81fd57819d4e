"""Wake-ups: Celery messages that wake a worker, in the form in which Redis holds them.

The script that puts a message into its lane also publishes the wake-up. So ``.delay()`` is one
command to Redis. Source: Celery's message protocol, version 2
(https://docs.celeryq.dev/en/stable/internals/protocol.html), and kombu's Redis transport, whose
queues are lists of JSON objects.
"""

from __future__ import annotations

import base64
import json
import os
import socket
from typing import Any, Mapping
from uuid import uuid4

# Not Celery's default queue: i-Reserve may keep its own tasks in the same Redis.
QUEUE = "mattermost"
# A header that says that the message is in its lane. A message that another program enqueued by
# the task's name lacks this header.
APPENDED_HEADER = "ireserve_appended"

_DELIVERY = {"exchange": "", "routing_key": QUEUE}

# The ids that say where a message belongs.
_PLACE = ("licence_id", "conversation_id")

# The name of the task that drains the lanes of a licence that are due.
DRAIN_LICENCE = "mattermost.drain_licence"


def licence_wake_up(licence_id: str) -> tuple[str, str]:
    """Return a new wake-up for a licence: the wake-up's id, and its Celery message."""
    wake_id = str(uuid4())
    return wake_id, wake_up(DRAIN_LICENCE, wake_id, {"licence_id": licence_id})


def wake_up(
    task: str, task_id: str, ids: Mapping[str, Any], headers: Mapping[str, Any] | None = None
) -> str:
    """Return the Celery message, as JSON, of a task whose arguments are ids only."""
    body = json.dumps(
        [[], ids, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}]
    )
    message = {
        "body": base64.b64encode(body.encode()).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {**(headers or {}), **_headers(task, task_id, ids)},
        "properties": {
            "correlation_id": task_id,
            "reply_to": "",
            "delivery_mode": 2,
            "delivery_info": _DELIVERY,
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": str(uuid4()),
        },
    }
    return json.dumps(message)


def shown(ids: Mapping[str, Any]) -> str:
    """Return the ids as Flower and the logs show them.

    The licence and the conversation come first, as values only: Flower cuts a column at 400 pixels.
    """
    known = {name: value for name, value in ids.items() if value is not None}
    place = " / ".join(str(known.pop(name)) for name in _PLACE if name in known)
    others = [f"{name}={value}" for name, value in known.items()]
    return ", ".join([place, *others] if place else others)


def _headers(task: str, task_id: str, ids: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "lang": "py",
        "task": task,
        "id": task_id,
        "root_id": task_id,
        "parent_id": None,
        "group": None,
        "eta": None,
        "expires": None,
        "retries": 0,
        "timelimit": [None, None],
        "argsrepr": "()",
        "kwargsrepr": shown(ids),
        "origin": f"{os.getpid()}@{socket.gethostname()}",
        "ignore_result": True,
        APPENDED_HEADER: True,
    }
