"""What a worker leaves behind when it is asked to stop."""

from __future__ import annotations

import base64
import json
import signal
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import Celery
from redis import Redis
from redis.client import PubSub

from ireserve_mattermost.wake_ups import DRAIN_LICENCE, QUEUE
from tasks.app import app
from tests.acceptance.conftest import DeployedStage
from tests.waiting import wait_until


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_worker_that_stops_publishes_its_last_events_and_puts_back_what_it_has_not_begun(
    stage: DeployedStage,
) -> None:
    """A stopping worker publishes its last task's end, and puts a later wake-up back."""
    worker = stage.deployment.start_worker()
    with (
        Redis.from_url(stage.redis.url) as redis,
        redis.pubsub(ignore_subscribe_messages=True) as events,
        Celery(broker=stage.redis.url, set_as_current=False) as celery,
    ):
        events.psubscribe(f"*{app.conf.event_exchange}*")
        later = datetime.now(UTC) + timedelta(minutes=5)
        celery.send_task(DRAIN_LICENCE, kwargs={"licence_id": "L1"}, eta=later, queue=QUEUE)
        sent = celery.send_task(DRAIN_LICENCE, kwargs={"licence_id": "L1"}, queue=QUEUE)
        seen: set[str] = set()
        wait_until(lambda: "task-received" in _event_types(events, sent.id, seen), what="the task")

        worker.kill(signal.SIGTERM)

        wait_until(lambda: "task-succeeded" in _event_types(events, sent.id, seen), what="its end")
        assert redis.llen(QUEUE) == 1


def _event_types(events: PubSub, task_id: str, seen: set[str]) -> set[str]:
    """Return the types of the task's events so far."""
    while (message := events.get_message()) is not None:
        body = json.loads(base64.b64decode(json.loads(message["data"])["body"]))
        found: list[dict[str, Any]] = body if isinstance(body, list) else [body]
        seen |= {event["type"] for event in found if event.get("uuid") == task_id}
    return seen
