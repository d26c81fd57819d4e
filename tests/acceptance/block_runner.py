"""Run the blocks of the docs as a reader would: one after the other, in one folder."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tests.pages import Block
from tests.waiting import wait_until

# The limit for one block; the slowest block waits 15 s for a webhook.
BLOCK_TIMEOUT_S = 60
STOP_TIMEOUT_S = 20


class BlockError(AssertionError):
    """A block of the docs did not do what its page says."""


class ReadyCheck(Protocol):
    """A check of whether the started processes are ready."""

    def reset(self) -> None:
        """Forget that earlier processes were ready."""

    def is_ready(self) -> bool:
        """Return whether the processes are ready."""


@dataclass(slots=True)
class BlockRunner:
    """A reader's working place: a folder, a shell's environment, and the running processes.

    ``addresses`` maps the docs' example addresses to the runner's own.
    """

    directory: Path
    environment: Mapping[str, str]
    addresses: Mapping[str, str]
    ready_check: ReadyCheck
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def follow(self, block: Block) -> None:
        """Save the block if the page says so, and run it.

        Raises:
            BlockError: the block failed, did not end, or ended although it should keep running.
        """
        code = block.code
        for theirs, ours in self.addresses.items():
            code = code.replace(theirs, ours)
        path = self.directory / (block.file or f"block-{block.line}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code)
        self._check_running(block)
        if block.stays:
            self._start(block, f"exec {code}")
        elif block.language == "python":
            self._finish(block, f"python -W error {shlex.quote(str(path))}")
        else:
            self._finish(block, code)

    def _finish(self, block: Block, code: str) -> None:
        state = shlex.quote(str(self._state))
        log = self.directory / "output.log"
        process = self._run(f"{code}\nexport -p > {state}", log)
        try:
            ended = f"ended with {process.wait(BLOCK_TIMEOUT_S)}"
        except subprocess.TimeoutExpired:
            _stop(process, signal.SIGKILL)
            ended = f"did not end within {BLOCK_TIMEOUT_S} s"
        if process.returncode:
            raise BlockError(f"{block} {ended}:\n{block.code}\n{log.read_text()}")

    def _start(self, block: Block, code: str) -> None:
        """Start a process that keeps running; stop it first if it runs already, to restart it."""
        if code in self.running:
            _stop(self.running.pop(code), signal.SIGTERM)
        self.ready_check.reset()
        log = self.directory / f"background-{block.line}.log"
        process = self.running[code] = self._run(code, log)
        wait_until(
            lambda: process.poll() is not None or self.ready_check.is_ready(),
            timeout_s=BLOCK_TIMEOUT_S,
            what=f"{block} is ready",
        )
        if process.returncode is not None:
            raise BlockError(f"{block} ended:\n{block.code}\n{log.read_text()}")

    def _check_running(self, block: Block) -> None:
        ended = [code for code, process in self.running.items() if process.poll() is not None]
        if ended:
            raise BlockError(f"{block}: this should still run, and has ended: {ended}")

    def _run(self, code: str, log: Path) -> subprocess.Popen[bytes]:
        """Run the code in a shell with the environment that the blocks before it left."""
        state = shlex.quote(str(self._state))
        script = f"set -euo pipefail; if [ -e {state} ]; then . {state}; fi\n{code}"
        with log.open("wb") as output:
            return subprocess.Popen(
                ["bash", "-c", script],
                cwd=self.directory,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def _state(self) -> Path:
        return self.directory / ".shell"

    def stop(self) -> None:
        """Stop all running processes, the last one first."""
        for process in reversed(self.running.values()):
            _stop(process, signal.SIGTERM)


def _stop(process: subprocess.Popen[bytes], number: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
    process.wait(STOP_TIMEOUT_S)
