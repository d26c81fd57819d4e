"""What Celery's configuration guarantees."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest
from kombu.exceptions import ContentDisallowed
from kombu.serialization import loads, prepare_accept_content

from tasks.app import app
from tests.pages import ROOT


def test_only_json_is_taken_from_the_broker() -> None:
    """The worker refuses a pickled message without unpickling it, which could run code."""
    accepted = prepare_accept_content(app.conf.accept_content)

    with pytest.raises(ContentDisallowed):
        loads(pickle.dumps({}), "application/x-python-serialize", "binary", accept=accepted)


HOST = """
from celery import Celery, shared_task

Celery("host")

@shared_task
def own():
    pass

import tasks

print(own.app.main, tasks.post_reply.app.main)
"""


def test_tasks_of_a_host_stay_with_its_own_application() -> None:
    """Our application does not become Celery's current one, so a host's tasks stay its own."""
    done = subprocess.run([sys.executable, "-c", HOST], cwd=ROOT, capture_output=True, text=True)

    assert (done.stdout, done.stderr) == ("host ireserve_mattermost\n", "")
