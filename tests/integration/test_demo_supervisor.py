"""The demo's supervisor and its watchdog end all processes that the demo has started."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from demo.watchdog import unfinished_processes
from tests.waiting import wait_until

# Starts two processes, prints their ids, and waits.
PROGRAM = """
import json, os, signal
from demo.supervisor import supervised
commands = {"first": ["sleep", "60"], "second": ["sleep", "60"]}
with supervised() as supervisor:
    with supervisor.running(commands, dict.fromkeys(commands, os.environ)):
        numbers = {name: process.pid for name, process in supervisor._running.items()}
        print(json.dumps({"demo": os.getpid(), **numbers}), flush=True)
        signal.pause()
"""


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    # A zombie counts as ended; its new parent removes it later.
    return state != "Z"


@pytest.mark.parametrize("killed", ["demo", "watchdog", "first", "second"])
def test_killed_process_takes_all_others_and_the_folder_with_it(
    tmp_path: Path, killed: str
) -> None:
    """Whichever process is killed, no process or file is left, and the demo fails."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        numbers = json.loads(process.stdout.readline())
        os.kill(numbers[killed], signal.SIGKILL)
        _, complaint = process.communicate(timeout=30)

    wait_until(lambda: not any(map(_is_alive, numbers.values())), what="an end of all processes")
    wait_until(lambda: not list(tmp_path.iterdir()), what="an end of the folder")
    assert process.returncode != 0
    # If the watchdog is killed, a process that is just starting ends too and is named as well.
    assert killed == "demo" or re.search(rf"\b{killed}( and \w+)? ended, and all", complaint)


@pytest.mark.parametrize(
    ("lines", "running"),
    [
        pytest.param([], [], id="nothing began"),
        pytest.param(["+7\n", "+8\n"], [7, 8], id="two began"),
        pytest.param(["+7\n", "+8\n", "-7\n"], [8], id="one has ended"),
        pytest.param(["-7\n"], [], id="one ended before it said its number"),
        pytest.param(["+7\n", "-7\n", "+7\n"], [7], id="a number comes again"),
    ],
)
def test_watchdog_ends_what_has_begun_and_not_ended(lines: list[str], running: list[int]) -> None:
    """The watchdog lists only processes that have not ended, since an id may be reused."""
    assert unfinished_processes(lines) == running
