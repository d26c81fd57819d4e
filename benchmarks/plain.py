"""A plain Celery task with our arguments: what a ``.delay()`` costs at the least."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery

app = Celery("plain", broker=os.environ.get("REDIS_URL"))
app.conf.update(task_default_queue="plain", task_ignore_result=True)


@app.task(name="plain.post_reply")
def post_reply(licence_id: str, conversation_id: str, **message: Any) -> None:
    """Do nothing: no worker takes it from its queue."""
