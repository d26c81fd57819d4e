"""An installation on embedded defaults: Redis, SQLite and the Procfile's processes."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from demo.ports import free_base_port
from demo.redis_server import running_redis
from models.keyring import new_key

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = Path(__file__).resolve().parent / "sample"
FLOWER_LOGIN = "demo:demo"
# In the order that honcho numbers their ports in.
PROCESSES = ("web", "worker", "beat", "flower")
START_TIMEOUT_S = 60
# honcho itself kills what has not stopped 5 s after it was asked to.
STOP_TIMEOUT_S = 15


class DemoError(Exception):
    """The demo could not do its job; the message says what to look at."""


@dataclass(frozen=True, slots=True)
class Installation:
    """A running installation and where its pages are."""

    directory: Path
    environment: Mapping[str, str]
    web_url: str
    flower_url: str

    def command(self, *words: str, stdin: str = "") -> str:
        """Run ``ireserve-mattermost`` as an operator would; return what it printed.

        Raises:
            DemoError: it ended with an error.
        """
        done = subprocess.run(
            [Path(sys.executable).parent / "ireserve-mattermost", *words],
            cwd=ROOT,
            env=dict(self.environment),
            input=stdin,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise DemoError(f"ireserve-mattermost {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout.strip()


@contextmanager
def running_installation(directory: Path) -> Iterator[Installation]:
    """Yield an installation whose Redis is up and whose database has its tables.

    The Procfile's processes are started by ``running_processes``, after the licence is there.
    """
    shutil.copytree(SAMPLE, directory / "attachments")
    base_port = free_base_port(len(PROCESSES))
    with running_redis(directory / "redis") as redis:
        environment = _environment(directory, redis.url, base_port)
        installation = Installation(
            directory=directory,
            environment=environment,
            web_url=f"http://127.0.0.1:{base_port}",
            flower_url=f"http://127.0.0.1:{base_port + 300}",
        )
        installation.command("db", "upgrade")
        yield installation


def _environment(directory: Path, redis_url: str, base_port: int) -> dict[str, str]:
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONUNBUFFERED": "1",
        "PORT": str(base_port),
        "REDIS_URL": redis_url,
        "DATABASE_URL": f"sqlite:///{directory / 'demo.db'}",
        "ENCRYPTION_KEYS": new_key(),
        "ATTACHMENTS_URL": f"file://{directory / 'attachments'}",
        "FLOWER_BASIC_AUTH": FLOWER_LOGIN,
    }


@contextmanager
def running_processes(installation: Installation) -> Iterator[None]:
    """Run the Procfile's processes under honcho until the block ends.

    Raises:
        DemoError: they did not come up.
    """
    log = installation.directory / "processes.log"
    with log.open("ab") as output:
        honcho = subprocess.Popen(
            [sys.executable, "-m", "honcho", "start", *PROCESSES],
            cwd=ROOT,
            env=dict(installation.environment),
            stdout=output,
            stderr=output,
            # Ctrl-C in the terminal is for the demo itself, which then stops these in order.
            start_new_session=True,
        )
    try:
        _wait_until_up(installation, honcho, log)
        yield
    finally:
        _stop(honcho)


def _wait_until_up(installation: Installation, honcho: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    waiting_for = {
        "web": f"{installation.web_url}/mattermost/health",
        "flower": f"{installation.flower_url}/healthcheck",
    }
    while waiting_for or "mattermost.post_reply" not in log.read_text(errors="replace"):
        if honcho.poll() is not None or time.monotonic() > deadline:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
            raise DemoError(f"the processes did not come up; the end of their log:\n{tail}")
        waiting_for = {name: url for name, url in waiting_for.items() if not _is_up(url)}
        time.sleep(0.1)


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


def request_json(method: str, url: str, body: object = None) -> object:
    """Return what a JSON address answers (for the stand-in's control addresses)."""
    request = urllib.request.Request(
        url,
        method=method,
        data=json.dumps(body).encode() if body is not None else None,
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)
