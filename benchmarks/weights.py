"""Measure the memory of each library that a worker loads, in a new process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping

from benchmarks.servers import ROOT

# Without the standard library and the libraries of a bare worker, which make no difference.
SHOWN = (
    "sqlalchemy", "cryptography", "pydantic", "pydantic_core", "pydantic_settings", "structlog",
    "fsspec", "regex", "psycopg", "psycopg_binary", "tasks", "models", "ireserve_mattermost",
)  # fmt: skip
_MEASURE = """
import importlib._bootstrap as bootstrap, json, sys
from collections import Counter

statm, stack, weights, load = open("/proc/self/statm"), [], Counter(), bootstrap._load_unlocked

def resident():
    statm.seek(0)
    return int(statm.read().split()[1]) * 4096

def weighed(spec):
    # What it loads itself is counted there, and not here.
    before = resident()
    stack.append(0)
    try:
        return load(spec)
    finally:
        grown, inner = resident() - before, stack.pop()
        if stack:
            stack[-1] += grown
        weights[spec.name.partition(".")[0]] += grown - inner

bootstrap._load_unlocked = weighed
import celery.apps.worker, celery.bin.worker, celery.concurrency.thread, kombu.transport.redis
import requests
from tasks import app
app.loader.import_default_modules()
app.finalize()
from tasks.runtime import current_runtime
current_runtime().database.engine
print(json.dumps(weights))
"""


def weights(environment: Mapping[str, str]) -> dict[str, float]:
    """Return the memory that loading each shown library adds, in MiB."""
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE],
        cwd=ROOT, env=dict(environment), capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = json.loads(done.stdout)
    return {name: found[name] / 2**20 for name in SHOWN if name in found}
