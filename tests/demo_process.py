"""Run the demo as a process, as a reader of the repository starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from demo.target import MEMBER_VARIABLE, VARIABLES

ROOT = Path(__file__).resolve().parent.parent
# The tests find all processes of a demo by this environment variable, whatever their parent is.
MARK = "IRESERVE_TEST_RUN"
LAST_LINE = "Ctrl-C stops everything."


def demo_environment(directory: Path) -> dict[str, str]:
    """Return the environment of a demo with the stand-in and its files in this directory."""
    kept = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    kept.pop(MEMBER_VARIABLE, None)
    return {**kept, "TMPDIR": str(directory), MARK: uuid4().hex}


@contextmanager
def running_demo(environment: dict[str, str], *options: str) -> Iterator[subprocess.Popen[str]]:
    """Yield a started demo; at the end, stop it and wait until it has ended."""
    process = subprocess.Popen(
        [sys.executable, "-m", "demo", *options],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()


def output_until_up(process: subprocess.Popen[str]) -> str:
    """Return the demo's output until it is up, or all output if it ends before."""
    return output_until(process, LAST_LINE)


def output_until(process: subprocess.Popen[str], words: str) -> str:
    """Return the demo's output up to the first line with these words; all output if none has."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if words in line:
            break
    return "".join(lines)
