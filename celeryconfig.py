"""Celery's configuration under its usual name; ``tasks.configuration`` defines it."""

from tasks.configuration import *  # noqa: F403
