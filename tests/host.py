"""i-Reserve's side, as a process of its own: enqueues what it reads from standard input.

One JSON object a line: {"task", "args", "kwargs"}, or {"by_name", "kwargs"} for a sender that does
not have our code; answers each with {"ok", "error", "seconds"}.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

from celery import Celery

import tasks


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


def _enqueue(order: dict[str, Any]) -> None:
    if "by_name" in order:
        elsewhere = Celery(broker=os.environ["REDIS_URL"])
        elsewhere.send_task(order["by_name"], kwargs=order["kwargs"], queue="mattermost")
        return
    task = getattr(tasks, order["task"])
    task.delay(*order.get("args", ()), **order.get("kwargs", {}))


if __name__ == "__main__":
    main()
