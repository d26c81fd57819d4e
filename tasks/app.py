"""The workers' Celery application: that of the public tasks, with the workers' configuration."""

from __future__ import annotations

from ireserve_mattermost.app import app
from tasks import plain_logs

app.config_from_object("tasks.configuration")

# ``plain_logs`` is imported here, so that it runs before a module loads structlog.
__all__ = ["app", "plain_logs"]
