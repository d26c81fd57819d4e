"""Run i-Reserve as a process that enqueues what it reads from standard input.

Each line is one JSON object, in one of four forms:

- {"task", "args", "kwargs"}: call a task of our package.
- {"by_name", "args", "kwargs"}: call a task from an application without our code.
- {"replies": [[licence, conversation, message], ...]}: call ``post_reply`` for each.
- {"redeliver"}: deliver a Celery message a second time, as after the visibility timeout.

The answer to each line is {"ok", "error", "message", "seconds"}.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import deque
from typing import Any

from celery import Celery
from redis import Redis

import tasks
from ireserve_mattermost.message_task import ids_of
from ireserve_mattermost.wake_ups import QUEUE, wake_up

# Redeliver the message this many messages back, when later ones are in progress or done.
REDELIVERED_LATER = 20

_enqueued: deque[tuple[str, str, dict[str, Any]]] = deque(maxlen=REDELIVERED_LATER)


def main() -> None:
    """Enqueue line by line until the input ends."""
    for line in sys.stdin:
        order = json.loads(line)
        started = time.monotonic()
        try:
            _enqueue(order)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test wants to see it
            answer = {"ok": False, "error": f"{type(error).__module__}.{type(error).__name__}"}
            answer["message"] = str(error)
        else:
            answer = {"ok": True, "error": ""}
        sys.stdout.write(json.dumps({**answer, "seconds": time.monotonic() - started}) + "\n")
        sys.stdout.flush()


def _redeliver() -> None:
    """Deliver a Celery message again, though the message in its lane may be sent already."""
    with Redis.from_url(os.environ["REDIS_URL"]) as redis:
        redis.lpush(QUEUE, wake_up(*_enqueued[0]))


def _enqueue(order: dict[str, Any]) -> None:
    if "redeliver" in order:
        _redeliver()
        return
    for licence_id, conversation_id, message in order.get("replies", ()):
        tasks.post_reply.delay(licence_id, conversation_id, **message)
    if "replies" in order:
        return
    if "by_name" in order:
        elsewhere = Celery(broker=os.environ["REDIS_URL"])
        args, kwargs = order["args"], order["kwargs"]
        elsewhere.send_task(order["by_name"], args=args, kwargs=kwargs, queue="mattermost")
        return
    task = getattr(tasks, order["task"])
    args, kwargs = order.get("args", ()), order.get("kwargs", {})
    result = task.delay(*args, **kwargs)
    _enqueued.append((task.name, result.id, ids_of(task.by_name(args, kwargs))))


if __name__ == "__main__":
    main()
