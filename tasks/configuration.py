"""Celery's configuration. Everything that differs between installations is in settings.py."""

from __future__ import annotations

from celery.schedules import crontab

from ireserve_mattermost.address import parse_redis_url
from ireserve_mattermost.connections import PRODUCER_CONNECT_TIMEOUT_S, PRODUCER_TIMEOUT_S
from ireserve_mattermost.wake_ups import QUEUE
from settings import settings_or_exit

# Celery's own commands import this module first, so the operator must learn of an error here.
_settings = settings_or_exit()

imports = (
    "tasks.outbound.tasks",
    "tasks.replies.resolve",
    "tasks.replies.giving_receipts",
    "tasks.sweep",
    "tasks.outbound.retention",
    "tasks.privacy.retention",
    "tasks.process",
    "tasks.heartbeats",
    "tasks.replies.catch_up",
    "tasks.replies.busy_channels",
)

# The address in kombu's form. With TLS, the server's certificate is checked.
_broker = parse_redis_url(_settings.redis_url).for_celery()
broker_url = _broker["broker_url"]
broker_use_ssl = _broker["broker_use_ssl"]
broker_connection_retry_on_startup = True
# Time limits for producers. A worker sets longer limits when it starts (tasks/process.py).
broker_transport_options = {
    "socket_connect_timeout": PRODUCER_CONNECT_TIMEOUT_S,
    "socket_timeout": PRODUCER_TIMEOUT_S,
    # Otherwise kombu repeats a refused connection, for 6 s in all.
    "max_retries": 0,
}
task_publish_retry = False

# Our own queue, because i-Reserve may have tasks of its own in the same Redis.
task_default_queue = QUEUE
# A Celery message only wakes a worker; the messages of i-Reserve are in the lanes. So a lost
# wake-up is harmless, Celery need not retry a task, and no caller waits for a result.
task_acks_late = False
# Wake-ups are few, and no other worker can begin a wake-up that a worker has prefetched.
worker_prefetch_multiplier = 1
task_ignore_result = True
result_backend = None

task_serializer = "json"
accept_content = ["json"]
timezone = "UTC"

worker_send_task_events = True
# Our own channels for events and remote control. On Celery's usual channels, i-Reserve's workers in
# the same Redis answer too: Flower would show their arguments, and their queue, but not our queue.
event_exchange = "ireserve-mattermost-events"
control_exchange = "ireserve-mattermost"
worker_consumer = "tasks.consumer:Consumer"
worker_hijack_root_logger = False
worker_cancel_long_running_tasks_on_connection_loss = False

# The base class keeps the schedule in memory, so there is no file to share or to lose. A rare task
# has a time of day instead of an interval, so that a restart does not delay it.
beat_scheduler = "celery.beat:Scheduler"
beat_schedule = {
    # The next sweep replaces a sweep that could not start in time.
    "sweep": {"task": "mattermost.sweep", "schedule": 5.0, "options": {"expires": 5}},
    "collect-replies": {
        "task": "mattermost.collect_replies",
        "schedule": float(_settings.catch_up_interval_s),
        "options": {"expires": _settings.catch_up_interval_s},
    },
    # The next run replaces a run that could not start in time.
    "remove-expired": {
        "task": "mattermost.remove_expired",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "look-at-store": {
        "task": "mattermost.look_at_store",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "forget-payloads": {
        "task": "mattermost.forget_payloads",
        "schedule": crontab(hour="3", minute="17"),
        "options": {"expires": 3_600},
    },
}
if _settings.catch_up_busy_s:
    beat_schedule["collect-busy"] = {
        "task": "mattermost.collect_busy",
        "schedule": float(_settings.catch_up_busy_s),
        "options": {"expires": _settings.catch_up_busy_s},
    }
