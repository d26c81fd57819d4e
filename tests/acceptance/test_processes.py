"""Processes are started by `run` from a file of settings, and `alive` says how each one is."""

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
from tasks.watch.processes import PROCESSES as SIGNS
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
    """The settings of an installation, which are this process's own as well."""
    made = Settings(
        database_url=sqlite_url,
        redis_url=redis_url,
        encryption_keys=new_key(),
        attachments_url=f"file://{tmp_path}",
    )
    environment_of(made, monkeypatch)
    monkeypatch.setenv("PORT", str(free_port()))
    # An address of this machine at which nothing else answers.
    monkeypatch.setenv("LISTEN_ADDRESS", "127.0.0.2")
    return made


@pytest.fixture
def started(settings: Settings, tmp_path: Path) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """The processes, started from a file in a folder without our code."""
    file = tmp_path / "ireserve-mattermost.env"
    names = ("DATABASE_URL", "REDIS_URL", "ENCRYPTION_KEYS", "ATTACHMENTS_URL")
    file.write_text("".join(f"{name}='{os.environ[name]}'\n" for name in names))
    # Nothing but what a supervisor gives to a process.
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
    """Each is alive once it is started; a killed worker's sign is renewed no more."""
    operator = Operator(settings)
    for process in PROCESSES:
        wait_until(partial(_is_alive, operator, process), timeout_s=60, what=process)

    started["worker-2"].kill()

    with Redis.from_url(settings.redis_url) as redis:
        look = partial(seen_s_ago, redis, ProcessKind.WORKER, WORKER)
        # A worker that lives beats every 2 s.
        wait_until(lambda: (look() or 0) > 4, what="no more signs")
        redis.zrem(SIGNS, f"worker:{WORKER}")
    assert not _is_alive(operator, "worker-2")
    assert _is_alive(operator, "beat")


def _is_alive(operator: Operator, process: str) -> bool:
    return operator.run("alive", process).exit_code == 0


@pytest.mark.parametrize(
    ("process", "sentence"),
    [
        (
            "worker",
            f"worker celery@{HOST} has left no sign of life in Redis for 30 s: start it.",
        ),
        ("beat", f"beat {HOST} has left no sign of life in Redis for 30 s: start it."),
        ("web", "web does not answer on port {} of this machine: start it."),
    ],
)
def test_process_that_does_not_run_is_not_alive(
    settings: Settings, process: str, sentence: str
) -> None:
    """One sentence, with the cure, and exit code 1."""
    result = Operator(settings).run("alive", process)

    assert result.exit_code == 1
    assert result.stdout == sentence.format(os.environ["PORT"]) + "\n"


@pytest.mark.parametrize("command", ["run", "alive"])
def test_process_that_there_is_not_is_refused(settings: Settings, command: str) -> None:
    """The names that there are stand in the error."""
    result = Operator(settings).run(command, "wroker")

    assert result.exit_code == 2
    assert "no process 'wroker': it is one of" in result.stderr
