"""The Celery application of the workers: the public tasks' own, with the workers' configuration."""

from __future__ import annotations

from ireserve_mattermost.app import app
from tasks import plain_logs

app.config_from_object("tasks.configuration")

# Loaded here, before anything loads structlog.
__all__ = ["app", "plain_logs"]
