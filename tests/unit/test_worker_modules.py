"""A worker loads no module that it does not use."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from models.keyring import new_key

# Each module with its users, none of which is a worker.
UNUSED = {
    "alembic": "db upgrade",
    "emoji": "the demo",
    "flask": "the web process",
    "jinja2": "the web process and the demo",
    "mako": "db upgrade",
    "markdown_it": "the tests' oracle",
    "prometheus_client": "the web process",
    "psycopg": "an installation on PostgreSQL",
    "rich": "the command line's tables; structlog would load it for tracebacks",
    "sentry_sdk": "an installation with SENTRY_DSN",
    "waitress": "the web process",
}
LOAD = """
import json, sys
from tasks import app
import celery.apps.worker, celery.bin.worker, tasks.consumer
app.loader.import_default_modules()
app.finalize()
from tasks.runtime import current_runtime
current_runtime().database.engine
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def test_a_worker_loads_nothing_that_it_does_not_use() -> None:
    """A worker loads none of these modules, which would need megabytes in each process."""
    environment = {
        "PATH": os.environ["PATH"],
        "ENCRYPTION_KEYS": new_key(),
        "DATABASE_URL": "sqlite://",
    }

    done = subprocess.run(
        [sys.executable, "-c", LOAD], env=environment, capture_output=True, text=True, check=True
    )

    loaded = set(json.loads(done.stdout))
    assert {"celery", "sqlalchemy", "structlog", "tasks"} <= loaded
    assert {name: use for name, use in UNUSED.items() if name in loaded} == {}
