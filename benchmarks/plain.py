"""A yardstick: a plain Celery task with our arguments, for the least cost of ``.delay()``."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery

app = Celery("plain", broker=os.environ.get("REDIS_URL"))
app.conf.update(task_default_queue="plain", task_ignore_result=True)


@app.task(name="plain.post_reply")
def post_reply(licence_id: str, conversation_id: str, **message: Any) -> None:
    """Do nothing: no worker takes this task from its queue."""
