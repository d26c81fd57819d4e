"""Celery's configuration, where Celery's users look for it: it is that of ``tasks``."""

from tasks.configuration import *  # noqa: F403
