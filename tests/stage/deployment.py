"""Run a whole deployment: processes with the Procfile's commands, and i-Reserve."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from honcho.environ import parse_procfile

from demo.ports import free_port
from models.keyring import new_key
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
FLOWER_LOGIN = "test:test"
STOP_TIMEOUT_S = 20


@dataclass(slots=True)
class Process:
    """One process of the deployment, in its own session, with its log."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    port: int

    def send_signal(self, number: int) -> None:
        """Send the signal to the process and its children without waiting."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def kill(self, with_signal: int = signal.SIGKILL) -> None:
        """Send the signal to the process and its children, and wait until the process has ended."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, with_signal)
        self.process.wait(STOP_TIMEOUT_S)

    def log_text(self) -> str:
        """Return what the process has logged so far."""
        return self.log.read_text(errors="replace")


@dataclass(slots=True)
class HostProcess:
    """i-Reserve as a process that enqueues through our package and knows only the broker."""

    process: subprocess.Popen[str]
    mutex: threading.Lock = field(default_factory=threading.Lock)

    def delay(self, task: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Call `.delay()`; return the result: ok, error, message, seconds."""
        return self._ask({"task": task, "args": args, "kwargs": kwargs})

    def delay_all(self, replies: list[tuple[str, str, dict[str, Any]]]) -> dict[str, Any]:
        """Call `.delay()` of `post_reply` for each licence, conversation and message."""
        return self._ask({"replies": replies})

    def send_by_name(self, name: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Enqueue by the task's name, from an application without our code."""
        return self._ask({"by_name": name, "args": args, "kwargs": kwargs})

    def redeliver(self) -> dict[str, Any]:
        """Put an earlier wake-up into the queue a second time; return the result."""
        return self._ask({"redeliver": True})

    def _ask(self, order: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with self.mutex:
            self.process.stdin.write(json.dumps(order) + "\n")
            self.process.stdin.flush()
            answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def stop(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(STOP_TIMEOUT_S)
        self.process.stdout.close()


@dataclass(slots=True)
class Deployment:
    """The processes of one test, and the environment to start more.

    ``source`` is the folder of the code that runs: the project's, or a copy.
    """

    directory: Path
    environment: dict[str, str]
    source: Path = ROOT
    running: list[Process] = field(default_factory=list)
    hosts: list[HostProcess] = field(default_factory=list)

    @classmethod
    def create(
        cls,
        directory: Path,
        *,
        redis_url: str,
        database_url: str,
        source: Path = ROOT,
        **more: str,
    ) -> Deployment:
        """Prepare a deployment without starting any process."""
        store = directory / "attachments"
        store.mkdir(parents=True, exist_ok=True)
        environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
            "PYTHONUNBUFFERED": "1",
            "REDIS_URL": redis_url,
            "DATABASE_URL": database_url,
            "ENCRYPTION_KEYS": new_key(),
            "ATTACHMENTS_URL": f"file://{store}",
            "FLOWER_BASIC_AUTH": FLOWER_LOGIN,
            "CONNECT_TIMEOUT_S": "2",
            "READ_TIMEOUT_S": "5",
            **more,
        }
        return cls(directory, environment, source)

    def start(self, name: str) -> Process:
        """Start one of the Procfile's processes with its own command."""
        procfile = parse_procfile((self.source / "Procfile").read_text())
        port = free_port()
        log = self.directory / f"{name}-{len(self.running)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                # exec replaces the shell, so that waiting for this process waits for the real one.
                f"exec {procfile.processes[name]}",
                shell=True,
                cwd=self.source,
                env={**self.environment, "PORT": str(port)},
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        running = Process(name, process, log, port)
        self.running.append(running)
        return running

    def start_worker(self) -> Process:
        """Start a worker and wait until it takes tasks."""
        return self.start_workers(1)[0]

    def start_workers(self, count: int) -> list[Process]:
        """Start ``count`` workers and wait until all of them take tasks."""
        workers = [self.start("worker") for _ in range(count)]
        for worker in workers:
            _wait_until_ready(worker)
        return workers

    def start_host(self) -> HostProcess:
        """Start i-Reserve's process."""
        known = ("PATH", "REDIS_URL", "HOME", "PYTHONPATH")
        host = HostProcess(
            subprocess.Popen(
                [sys.executable, ROOT / "tests" / "stage" / "host.py"],
                cwd=self.source,
                env={name: self.environment[name] for name in known if name in self.environment},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        self.hosts.append(host)
        return host

    def command(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run ``ireserve-mattermost`` as an operator would."""
        return subprocess.run(
            [Path(sys.executable).parent / "ireserve-mattermost", *words],
            cwd=self.source,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
        )

    def stop(self, *, with_signal: int = signal.SIGTERM) -> None:
        """Stop all running processes at the same time."""
        still = [running for running in self.running if running.process.poll() is None]
        for running in still:
            running.send_signal(with_signal)
        for running in still:
            running.process.wait(STOP_TIMEOUT_S)
        for host in self.hosts:
            host.stop()

    def logs(self) -> str:
        """Return what all processes have logged."""
        return "\n".join(running.log_text() for running in self.running)


# Like `Deployment.create`, for a deployment whose processes end with the test.
Deploy = Callable[..., Deployment]


def _wait_until_ready(worker: Process) -> None:
    wait_until(
        lambda: " ready." in worker.log_text() or worker.process.poll() is not None,
        timeout_s=60,
        what="a worker that is ready",
    )
    assert worker.process.poll() is None, worker.log_text()
