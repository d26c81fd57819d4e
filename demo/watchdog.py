"""A process that outlives the demo, ends the demo's processes and removes its files.

The watchdog reads the process ids of the demo's processes from a pipe. Each process writes its own
id there before it runs its program, and holds the pipe open until then. So the watchdog misses no
process, whenever the demo is killed. When the demo ends, the pipe ends, and the watchdog cleans up.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from demo.interruption import ENDINGS

ROOT = Path(__file__).resolve().parent.parent
# A killed process ends within milliseconds, and may still write a file until then.
REMOVED_WITHIN_S = 10
# Standard input is the pipe to the watchdog until the process has written its id; then /dev/null.
_ANNOUNCED = 'echo "+$$" >&0 && exec "$@" 0</dev/null'


@dataclass(frozen=True, slots=True)
class Watchdog:
    """The watchdog process, and the folder that it removes when this process has ended."""

    directory: Path
    process: subprocess.Popen[bytes]

    def spawn(
        self,
        command: list[str],
        *,
        environment: Mapping[str, str],
        stdout: IO[bytes] | int,
        stderr: IO[bytes] | int,
    ) -> subprocess.Popen[bytes]:
        """Start a process in the repository's folder that does not outlive this process.

        The new process has its own session: Ctrl-C in the terminal reaches only the demo, which
        then stops its processes in order.
        """
        return subprocess.Popen(
            ["/bin/sh", "-c", _ANNOUNCED, "sh", *command],
            cwd=ROOT,
            # The watchdog then removes the process's temporary files with the folder.
            env={**environment, "TMPDIR": str(self.directory)},
            stdin=self.process.stdin,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )

    def forget(self, process: subprocess.Popen[bytes]) -> None:
        """Report to the watchdog that a process has ended: its id may be reused."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(f"-{process.pid}\n".encode())


@contextmanager
def running_watchdog() -> Iterator[Watchdog]:
    """Yield a watchdog with a new folder; at the end, end its processes and remove the folder."""
    directory = Path(tempfile.mkdtemp(prefix="ireserve-demo-"))
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "demo.watchdog", directory],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        bufsize=0,
        start_new_session=True,
    )
    try:
        yield Watchdog(directory, process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait()
        # The watchdog has removed the folder, unless the watchdog itself was killed.
        shutil.rmtree(directory, ignore_errors=True)


def main() -> None:
    """Wait for the end of the pipe, then kill the processes left and remove the folder."""
    for number in ENDINGS:
        signal.signal(number, signal.SIG_IGN)
    for pid in unfinished_processes(sys.stdin):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    _remove(Path(sys.argv[1]))


def unfinished_processes(lines: Iterable[str]) -> list[int]:
    """Return the ids of the processes that began (``+7``) and have not ended (``-7``)."""
    running: dict[int, None] = {}
    for line in lines:
        if line.startswith("+"):
            running[int(line[1:])] = None
        else:
            running.pop(int(line[1:]), None)
    return list(running)


def _remove(directory: Path) -> None:
    deadline = time.monotonic() + REMOVED_WITHIN_S
    while directory.exists() and time.monotonic() < deadline:
        shutil.rmtree(directory, ignore_errors=True)
        time.sleep(0.01)


if __name__ == "__main__":
    main()
