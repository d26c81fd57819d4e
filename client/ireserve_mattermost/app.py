"""The Celery application that the public tasks belong to."""

from __future__ import annotations

from celery import Celery

# Not the current one: i-Reserve's own tasks must stay with its own application. Without fix-ups:
# our workers need no Django because i-Reserve has one.
app = Celery("ireserve_mattermost", set_as_current=False, fixups=[])
