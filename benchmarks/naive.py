"""A yardstick: the simplest Celery task, which posts and stores nothing."""

from __future__ import annotations

import os

import requests
from celery import Celery

QUEUE = "naive"


def yardstick_app(queue: str) -> Celery:
    """Return an application with our settings that affect the time: events, and no results."""
    made = Celery(queue, broker=os.environ.get("REDIS_URL"))
    made.conf.update(
        task_default_queue=queue,
        task_ignore_result=True,
        worker_send_task_events=True,
        worker_hijack_root_logger=True,
        broker_connection_retry_on_startup=True,
    )
    return made


app = yardstick_app(QUEUE)
session = requests.Session()


@app.task(name="naive.post_reply")
def post_reply(
    url: str,
    token: str,
    channel_id: str,
    root_id: str,
    *,
    conversation_id: str,
    message_id: str,
    sender_name: str,
    text: str,
) -> None:
    """Post the message into its thread."""
    answer = session.post(
        f"{url}/api/v4/posts",
        json={
            "channel_id": channel_id,
            "root_id": root_id,
            "message": f"**{sender_name}**: {text}",
            "props": {"conversation_id": conversation_id, "message_id": message_id},
        },
        headers={"Authorization": f"Bearer {token}"},
        timeout=20,
    )
    answer.raise_for_status()
