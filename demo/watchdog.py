"""The process that outlives the demo: what a killed demo leaves behind, it ends and removes.

It reads the numbers of the demo's processes from a pipe. Each of them writes its own number there
before it becomes what it is, and holds the pipe until then: so none is missed, whenever the demo
is killed. The pipe ends with the demo, and then the watchdog does its work.
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
# A killed process is gone within milliseconds, and may write a last file until then.
REMOVED_WITHIN_S = 10
# Its standard input is the way to the watchdog until it has said who it is, and nothing afterwards.
_ANNOUNCED = 'echo "+$$" >&0 && exec "$@" 0</dev/null'


@dataclass(frozen=True, slots=True)
class Watchdog:
    """The watchdog, and the folder that it removes when this process is gone."""

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
        """Start a process that does not outlive this one, in the repository's folder.

        It has a session of its own: Ctrl-C in the terminal is for the demo itself, which then
        stops its processes in order.
        """
        return subprocess.Popen(
            ["/bin/sh", "-c", _ANNOUNCED, "sh", *command],
            cwd=ROOT,
            # Its temporary files are removed with the folder, too.
            env={**environment, "TMPDIR": str(self.directory)},
            stdin=self.process.stdin,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )

    def forget(self, process: subprocess.Popen[bytes]) -> None:
        """Tell the watchdog that a process has ended: its number may become another's."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(f"-{process.pid}\n".encode())


@contextmanager
def running_watchdog() -> Iterator[Watchdog]:
    """Yield a watchdog and its new folder; at the end, all that is left is ended and removed."""
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
        # It is gone already, unless the watchdog itself was killed.
        shutil.rmtree(directory, ignore_errors=True)


def main() -> None:
    """Wait for the end of the pipe, then end what is left and remove the folder."""
    for number in ENDINGS:
        signal.signal(number, signal.SIG_IGN)
    for pid in left(sys.stdin):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    _remove(Path(sys.argv[1]))


def left(lines: Iterable[str]) -> list[int]:
    """Return the numbers of the processes that began (``+7``) and have not ended (``-7``)."""
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
