"""The Celery application of the workers: the public tasks' own, with the workers' configuration."""

from __future__ import annotations

from ireserve_mattermost.app import app

app.config_from_object("tasks.configuration")

__all__ = ["app"]
