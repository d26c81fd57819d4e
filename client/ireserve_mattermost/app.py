"""The Celery application that the public tasks belong to."""

from __future__ import annotations

from celery import Celery

# set_as_current=False: i-Reserve's own tasks must stay with its own application.
# fixups=[]: Celery's Django fix-up would make our workers load Django where i-Reserve uses it.
app = Celery("ireserve_mattermost", set_as_current=False, fixups=[])
