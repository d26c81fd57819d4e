"""What Celery's configuration promises."""

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
    """A pickled message, which could run code when it is read, is refused unread."""
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
    """Ours does not become the current one, which tasks without an application belong to."""
    done = subprocess.run([sys.executable, "-c", HOST], cwd=ROOT, capture_output=True, text=True)

    assert (done.stdout, done.stderr) == ("host ireserve_mattermost\n", "")
