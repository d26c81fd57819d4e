"""The client works in a host: with old and new Celery, Django, and modules of our names.

Each test makes its own virtual environment, so it needs the package index and --full-load.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pages import ROOT
from tests.stage.deployed import running_stage
from tests.waiting import wait_until

FLASK = """
import flask, models, settings, sqlalchemy, tasks

assert tasks.IS_THE_HOSTS and models.IS_THE_HOSTS and settings.IS_THE_HOSTS
app = flask.Flask("host")

@app.post("/say")
def say():
    from ireserve_mattermost import post_reply
    post_reply.delay(
        "L1", "c1", message_id="m1", sender_name="Jan", sender_role="visitor", text="x")
    return ""

assert app.test_client().post("/say").status_code == 200
"""
DJANGO = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
import django, models, tasks
from django.db import transaction

django.setup()
assert tasks.IS_THE_HOSTS and models.IS_THE_HOSTS
from ireserve_mattermost import post_reply

with transaction.atomic():
    transaction.on_commit(lambda: post_reply.delay(
        "L1", "c1", message_id="m1", sender_name="Jan", sender_role="visitor", text="x"))
"""
GEVENT = """
from gevent import joinall, monkey, spawn

monkey.patch_all()

from ireserve_mattermost import post_reply

def say(number):
    post_reply.delay(
        "L1", "c1", message_id=number, sender_name="Jan", sender_role="visitor", text="x")

joinall([spawn(say, number) for number in range(300)], raise_error=True)
"""
SETTINGS = """
IS_THE_HOSTS = True
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
"""


@pytest.mark.full_load
@pytest.mark.parametrize(
    ("packages", "code", "posts"),
    [
        pytest.param(
            ["celery==5.4.0", "kombu<5.5", "redis==4.6.0", "flask<3.1", "sqlalchemy<2.1"],
            FLASK,
            2,
            id="Flask on the oldest Celery",
        ),
        pytest.param(["celery", "redis", "django"], DJANGO, 2, id="Django on the newest Celery"),
        pytest.param(["celery", "redis", "gevent"], GEVENT, 301, id="300 greenlets at once"),
    ],
)
def test_host_with_modules_of_our_names_enqueues(
    packages: list[str], code: str, posts: int, sqlite_url: str, tmp_path: Path
) -> None:
    """The client installs beside the host's own packages, and a real worker posts its messages."""
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, *packages, str(ROOT / "client")], check=True)
    host = tmp_path / "host"
    host.mkdir()
    for name in ("tasks", "models"):
        (host / f"{name}.py").write_text("IS_THE_HOSTS = True\n")
    (host / "settings.py").write_text(SETTINGS)
    (host / "host.py").write_text(code)

    with running_stage(tmp_path, database_url=sqlite_url) as stage:
        stage.deployment.start_worker()
        # Variables that a host may have in its environment must do no harm.
        environment = {
            **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "IRESERVE_MATTERMOST_REDIS_URL": stage.redis.url,
            "LOG_LEVEL": "debug",
            "HOLD_S": "10m",
        }
        subprocess.run([str(python), "host.py"], cwd=host, env=environment, check=True)

        wait_until(lambda: len(stage.accepted()) == posts, timeout_s=30, what="all posts")
