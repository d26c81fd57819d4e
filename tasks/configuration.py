"""Celery's configuration. Everything that differs between installations is in settings.py."""

from __future__ import annotations

from celery.schedules import crontab

from ireserve_mattermost.address import parse_redis_url
from ireserve_mattermost.connections import PRODUCER_CONNECT_TIMEOUT_S, PRODUCER_TIMEOUT_S
from ireserve_mattermost.wake_ups import QUEUE
from settings import settings_or_exit

# Celery's own commands read this before any of our code could explain an error to the operator.
_settings = settings_or_exit()

imports = (
    "tasks.outbound.tasks",
    "tasks.replies.resolve",
    "tasks.replies.giving_receipts",
    "tasks.sweep",
    "tasks.outbound.retention",
    "tasks.privacy.retention",
    "tasks.process",
    "tasks.signs_of_life",
    "tasks.replies.catch_up",
    "tasks.replies.busy_channels",
)

# In the form that kombu takes; with TLS the server's certificate is looked at.
_broker = parse_redis_url(_settings.redis_url).for_celery()
broker_url = _broker["broker_url"]
broker_use_ssl = _broker["broker_use_ssl"]
broker_connection_retry_on_startup = True
# A worker sets its own, longer ones when it starts (tasks/process.py).
broker_transport_options = {
    "socket_connect_timeout": PRODUCER_CONNECT_TIMEOUT_S,
    "socket_timeout": PRODUCER_TIMEOUT_S,
    # Otherwise a broker that refuses is asked again and again, for 6 s in all.
    "max_retries": 0,
}
task_publish_retry = False

# A queue of our own: i-Reserve may keep its own tasks in the same Redis.
task_default_queue = QUEUE
# A Celery message only wakes a worker; the work is in the lanes. So losing one is harmless,
# nothing is tried again, and no caller waits for a result.
task_acks_late = False
# Wake-ups are few, and what a worker has taken no other one can begin.
worker_prefetch_multiplier = 1
task_ignore_result = True
result_backend = None

task_serializer = "json"
accept_content = ["json"]
timezone = "UTC"

worker_send_task_events = True
# Channels of our own for events and remote control. On the usual ones i-Reserve's workers in the
# same Redis answer too: Flower then shows their arguments, and not our queue but theirs.
event_exchange = "ireserve-mattermost-events"
control_exchange = "ireserve-mattermost"
worker_consumer = "tasks.consumer:Consumer"
worker_hijack_root_logger = False
worker_cancel_long_running_tasks_on_connection_loss = False

# The base class keeps the schedule in memory: there is no file to share or to lose, and what runs
# rarely goes by the clock, so that a restart does not put it off.
beat_scheduler = "celery.beat:Scheduler"
beat_schedule = {
    # A sweep that could not start in time is superseded by the next one.
    "sweep": {"task": "mattermost.sweep", "schedule": 5.0, "options": {"expires": 5}},
    "collect-replies": {
        "task": "mattermost.collect_replies",
        "schedule": float(_settings.catch_up_interval_s),
        "options": {"expires": _settings.catch_up_interval_s},
    },
    # A run that could not start before the next one is superseded by it.
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
