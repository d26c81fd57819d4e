"""The demo as a process, as a reader of the repository starts it."""

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
# By this variable all of its processes are found, whatever their parent is.
MARK = "IRESERVE_TEST_RUN"
LAST_LINE = "Ctrl-C stops everything."


def demo_environment(directory: Path) -> dict[str, str]:
    """Return this process's environment for a demo with the stand-in, in that directory."""
    kept = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    kept.pop(MEMBER_VARIABLE, None)
    return {**kept, "TMPDIR": str(directory), MARK: uuid4().hex}


@contextmanager
def running_demo(environment: dict[str, str], *options: str) -> Iterator[subprocess.Popen[str]]:
    """Yield a demo that has been started; stop it, and wait for its end."""
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
    """Return what the demo says until it has played and stays; all, if it does not come so far."""
    return output_until(process, LAST_LINE)


def output_until(process: subprocess.Popen[str], words: str) -> str:
    """Return what the demo says up to the line with these words; all, if there is none."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if words in line:
            break
    return "".join(lines)
