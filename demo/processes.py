"""The Procfile's processes, and i-Reserve's two beside them, under one supervisor."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from demo.errors import DemoError
from demo.ports import HONCHO_STEP

ROOT = Path(__file__).resolve().parent.parent
# Of the Procfile, and of i-Reserve beside it.
OURS = ("web", "worker", "beat", "flower")
IRESERVE = {
    "ireserve": "waitress-serve --listen 127.0.0.1:$PORT --threads 8 "
    "--call demo.ireserve.app:create_app",
    # Celery's own variable, and only for this process: it is not ours.
    "consumer": "CELERY_BROKER_URL=$REDIS_URL exec celery --app demo.ireserve.consumer worker "
    "--pool solo --hostname ireserve@%h --loglevel WARNING --without-gossip --without-mingle",
}
# In the order that honcho numbers their ports in.
PROCESSES = (*OURS, *IRESERVE)
# What the workers write when they are up: the last task's name, and the consumer's own name.
SIGNS_OF_LIFE = ("mattermost.post_reply", "ireserve@")
HEALTH_PATHS = {"web": "/mattermost/health", "flower": "/healthcheck", "ireserve": "/"}
LOG_NAME = "processes.log"
START_TIMEOUT_S = 60
# honcho itself kills what has not stopped 5 s after it was asked to.
STOP_TIMEOUT_S = 15


def url_of(process: str, *, base_port: int) -> str:
    """Return the address of a process's pages."""
    return f"http://127.0.0.1:{base_port + HONCHO_STEP * PROCESSES.index(process)}"


@contextmanager
def running_processes(
    environment: Mapping[str, str], directory: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run the Procfile's processes and i-Reserve's until the block ends; yield their honcho.

    It ends, and all of them with it, when one of them does. Their log is ``processes.log`` in the
    directory. Each tells its port from PORT.

    Raises:
        DemoError: they did not come up.
    """
    log = directory / LOG_NAME
    with log.open("ab") as output:
        honcho = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "honcho",
                "start",
                "--procfile",
                _procfile(directory),
                *PROCESSES,
            ],
            cwd=ROOT,
            env=dict(environment),
            stdout=output,
            stderr=output,
            # Ctrl-C in the terminal is for the demo itself, which then stops these in order.
            start_new_session=True,
        )
    try:
        _wait_until_up(honcho, log, base_port=int(environment["PORT"]))
        yield honcho
    finally:
        _stop(honcho)


def _procfile(directory: Path) -> Path:
    """Return the deployment's own Procfile with i-Reserve's processes added."""
    if not (ROOT / "Procfile").exists():
        raise DemoError("the demo needs the repository with its Procfile: run bin/demo there")
    path = directory / "Procfile"
    lines = [f"{name}: {command}" for name, command in IRESERVE.items()]
    path.write_text("\n".join([(ROOT / "Procfile").read_text().rstrip(), *lines, ""]))
    return path


def _wait_until_up(honcho: subprocess.Popen[bytes], log: Path, *, base_port: int) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    waiting_for = [
        url_of(process, base_port=base_port) + path for process, path in HEALTH_PATHS.items()
    ]
    while waiting_for or not _are_alive(log):
        if honcho.poll() is not None or time.monotonic() > deadline:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
            raise DemoError(f"the processes did not come up; the end of their log:\n{tail}")
        waiting_for = [url for url in waiting_for if not _is_up(url)]
        time.sleep(0.1)


def _are_alive(log: Path) -> bool:
    text = log.read_text(errors="replace")
    return all(sign in text for sign in SIGNS_OF_LIFE)


def _is_up(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _stop(honcho: subprocess.Popen[bytes]) -> None:
    honcho.send_signal(signal.SIGTERM)
    try:
        honcho.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(honcho.pid, signal.SIGKILL)
        honcho.wait()
