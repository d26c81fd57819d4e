"""`run` starts processes from a file of settings, and `alive` says whether each is alive."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from socket import gethostname

import pytest
from redis import Redis

from demo.ports import free_port
from models.keyring import new_key
from settings import Settings
from tasks.watch.processes import PROCESSES as HEARTBEATS
from tasks.watch.processes import ProcessKind, seen_s_ago
from tests.operators import Operator, environment_of
from tests.waiting import wait_until

COMMAND = Path(sys.executable).parent / "ireserve-mattermost"
HOST = gethostname()
WORKER = f"worker-2@{HOST}"
PROCESSES = ("web", "worker-2", "beat")


@pytest.fixture
def settings(
    sqlite_url: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """The settings of an installation, which are also in this process's environment."""
    made = Settings(
        database_url=sqlite_url,
        redis_url=redis_url,
        encryption_keys=new_key(),
        attachments_url=f"file://{tmp_path}",
    )
    environment_of(made, monkeypatch)
    monkeypatch.setenv("PORT", str(free_port()))
    # An address of this machine on which no other server listens.
    monkeypatch.setenv("LISTEN_ADDRESS", "127.0.0.2")
    return made


@pytest.fixture
def started(settings: Settings, tmp_path: Path) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """The processes, started from a file in a folder without our code."""
    file = tmp_path / "ireserve-mattermost.env"
    names = ("DATABASE_URL", "REDIS_URL", "ENCRYPTION_KEYS", "ATTACHMENTS_URL")
    file.write_text("".join(f"{name}='{os.environ[name]}'\n" for name in names))
    # Only the variables that a process manager gives to a process.
    bare = {"PATH": os.defpath}
    bare |= {name: os.environ[name] for name in ("PORT", "LISTEN_ADDRESS")}
    running = {}
    for process in PROCESSES:
        with (tmp_path / f"{process}.log").open("wb") as log:
            running[process] = subprocess.Popen(
                [COMMAND, "--env-file", file, "run", process],
                cwd=tmp_path, env=bare, stdout=log, stderr=log,
            )  # fmt: skip
    yield running
    for each in running.values():
        each.terminate()
    for each in running.values():
        each.wait(30)


def test_each_process_runs_and_says_whether_it_is_alive(
    settings: Settings, started: dict[str, subprocess.Popen[bytes]]
) -> None:
    """Each started process is alive, and a killed worker sends no more heartbeats."""
    operator = Operator(settings)
    for process in PROCESSES:
        wait_until(partial(_is_alive, operator, process), timeout_s=60, what=process)

    started["worker-2"].kill()

    with Redis.from_url(settings.redis_url) as redis:
        look = partial(seen_s_ago, redis, ProcessKind.WORKER, WORKER)
        # A running worker sends a heartbeat every 2 s.
        wait_until(lambda: (look() or 0) > 4, what="no more heartbeats")
        redis.zrem(HEARTBEATS, f"worker:{WORKER}")
    assert not _is_alive(operator, "worker-2")
    assert _is_alive(operator, "beat")


def _is_alive(operator: Operator, process: str) -> bool:
    return operator.run("alive", process).exit_code == 0


@pytest.mark.parametrize(
    ("process", "sentence"),
    [
        (
            "worker",
            f"worker celery@{HOST} has sent no heartbeat to Redis for 30 s: start it.",
        ),
        ("beat", f"beat {HOST} has sent no heartbeat to Redis for 30 s: start it."),
        ("web", "web does not answer on port {} of this machine: start it."),
    ],
)
def test_process_that_does_not_run_is_not_alive(
    settings: Settings, process: str, sentence: str
) -> None:
    """For a process that does not run, `alive` prints the cure in one sentence and exits with 1."""
    result = Operator(settings).run("alive", process)

    assert result.exit_code == 1
    assert result.stdout == sentence.format(os.environ["PORT"]) + "\n"


@pytest.mark.parametrize("command", ["run", "alive"])
def test_process_that_there_is_not_is_refused(settings: Settings, command: str) -> None:
    """For an unknown process, the error names the processes that exist."""
    result = Operator(settings).run(command, "wroker")

    assert result.exit_code == 2
    assert "no process 'wroker': it is one of" in result.stderr
