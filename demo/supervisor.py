"""Run the demo's processes; if one ends by itself, end the demo and all other processes."""

from __future__ import annotations

import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from demo.errors import DemoError, ProcessEndedError
from demo.watchdog import Watchdog, running_watchdog

START_TIMEOUT_S = 60
# A worker needs up to about 7 s to end, because it finishes its current message.
STOP_TIMEOUT_S = 15
LOG_LINES = 20


@dataclass(slots=True)
class Supervisor:
    """A supervisor of processes under the watchdog, each with its own log."""

    watchdog: Watchdog
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _is_over: bool = False

    @property
    def logs(self) -> Path:
        """Return the folder of the processes' logs."""
        return self.watchdog.directory / "logs"

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Raise from anywhere in the block when a process ends by itself.

        Raises:
            ProcessEndedError: a process has ended by itself.
        """
        self.logs.mkdir()
        self._running["watchdog"] = self.watchdog.process
        before = signal.signal(signal.SIGCHLD, self._look)
        try:
            yield
        finally:
            self._is_over = True
            signal.signal(signal.SIGCHLD, before)

    @contextmanager
    def running(
        self, commands: Mapping[str, list[str]], environments: Mapping[str, Mapping[str, str]]
    ) -> Iterator[None]:
        """Run these processes, given by name, until the block ends."""
        started: dict[str, subprocess.Popen[bytes]] = {}
        try:
            for name, command in commands.items():
                started[name] = self._running[name] = self._start(name, command, environments[name])
            yield
        finally:
            self._stop(started)

    def log(self, name: str) -> str:
        """Return what a process has written so far."""
        try:
            return (self.logs / f"{name}.log").read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""

    def wait_for(self, name: str, is_up: Callable[[], bool]) -> None:
        """Return when the process is up.

        Raises:
            DemoError: the process is not up in time.
        """
        deadline = time.monotonic() + START_TIMEOUT_S
        while not is_up():
            if time.monotonic() > deadline:
                raise DemoError(f"{name} did not come up{self.tails([name])}")
            time.sleep(0.05)

    def _start(
        self, name: str, command: list[str], environment: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        with (self.logs / f"{name}.log").open("ab") as log:
            return self.watchdog.spawn(command, environment=environment, stdout=log, stderr=log)

    def _stop(self, started: Mapping[str, subprocess.Popen[bytes]]) -> None:
        for name, process in started.items():
            self._running.pop(name, None)
            process.terminate()
        for process in started.values():
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            self.watchdog.forget(process)

    def _look(self, _signal: int, _frame: FrameType | None) -> None:
        ended = [name for name, process in self._running.items() if process.poll() is not None]
        if ended and not self._is_over:
            self._is_over = True
            raise ProcessEndedError(
                f"{' and '.join(ended)} ended, and all others with it: start it again"
                f"{self.tails(ended)}"
            )

    def tails(self, names: list[str]) -> str:
        """Return the last lines of these processes' logs, to append to an error message."""
        tails = {name: "\n".join(self.log(name).splitlines()[-LOG_LINES:]) for name in names}
        return "".join(f"\nThe end of {name}.log:\n{tail}" for name, tail in tails.items() if tail)


@contextmanager
def supervised() -> Iterator[Supervisor]:
    """Yield a supervisor with its own watchdog; afterwards none of its processes is left.

    Raises:
        ProcessEndedError: a process has ended by itself.
    """
    with running_watchdog() as watchdog:
        supervisor = Supervisor(watchdog)
        with supervisor.watching():
            yield supervisor


def answers(url: str) -> bool:
    """Return whether the address answers with status 200."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
