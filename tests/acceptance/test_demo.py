"""``bin/demo`` as a reader of the repository runs it: as processes that end with it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.demo_process import MARK, demo_environment, output_until, output_until_up, running_demo
from tests.waiting import wait_until

# Twenty seconds are usual; a busy machine takes longer.
CHECK_TIMEOUT_S = 180
STOP_TIMEOUT_S = 40
# The demo, its watchdog, Redis, the stand-in, and six processes.
FEWEST_PROCESSES = 10
# The state and the address in the kernel's table.
LISTENS, LOOPBACK = "0A", "0100007F"


def _processes_of(environment: dict[str, str]) -> list[int]:
    """Return the ids of this demo's processes, by their environment or folder."""
    mark = f"{MARK}={environment[MARK]}".encode()
    return [
        int(path.name)
        for path in Path("/proc").glob("[0-9]*")
        if _has(path / "environ", mark) or _is_within(path / "cwd", environment["TMPDIR"])
    ]


def _is_within(link: Path, directory: str) -> bool:
    """Return whether the link leads into the folder.

    Redis is found by its folder, because its title overwrites its environment.
    """
    with suppress(OSError):
        return os.readlink(link).startswith(f"{directory}/")
    return False


def _beat_of(environment: dict[str, str]) -> int:
    """Return the id of beat's process."""
    [beat] = [
        pid
        for pid in _processes_of(environment)
        if {b"tasks", b"beat"} <= set(Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"))
    ]
    return beat


def _has(path: Path, mark: bytes) -> bool:
    try:
        return mark in path.read_bytes()
    except OSError:
        # The process has ended meanwhile, or belongs to another user.
        return False


def _listening_on(pids: list[int]) -> set[str]:
    """Return the addresses on which these processes listen, as the kernel writes them."""
    inodes = {
        link.removeprefix("socket:[").removesuffix("]") for pid in pids for link in _files_of(pid)
    }
    tables = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
    rows = [line.split() for table in tables for line in table.read_text().splitlines()[1:]]
    return {row[1].split(":")[0] for row in rows if row[3] == LISTENS and row[9] in inodes}


def _files_of(pid: int) -> list[str]:
    links = []
    for link in Path(f"/proc/{pid}/fd").glob("*"):
        with suppress(OSError):
            links.append(os.readlink(link))
    return links


def test_check_finds_both_directions_as_they_should_be(tmp_path: Path) -> None:
    """``demo --check`` works from any folder, finds no problem either way, and cleans up."""
    environment = demo_environment(tmp_path)
    words = ("demo", "--check", "--json", "--language", "nl")

    done = subprocess.run(
        [Path(sys.executable).parent / "ireserve-mattermost", *words],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=CHECK_TIMEOUT_S,
    )

    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    assert (outcome["is_ok"], outcome["problems"]) == (True, [])
    assert {"page", "mattermost", "flower", "health", "logs", "commands"} < set(outcome)
    assert done.stderr.count("  ok  ") == 10, done.stderr
    assert "OK: all of it is there, once." in done.stderr
    assert "Goedemiddag! Is het huis aan het meer nog vrij" in done.stderr
    assert _processes_of(environment) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "moment"),
    [
        pytest.param(signal.SIGINT, "Added licence", id="while it is set up"),
        pytest.param(
            signal.SIGTERM, "~vip: ", id="while it is played", marks=pytest.mark.full_load
        ),
    ],
)
def test_interrupted_check_fails_and_leaves_nothing(
    tmp_path: Path, number: signal.Signals, moment: str
) -> None:
    """An interrupted check ends with the signal's exit code and leaves nothing behind."""
    environment = demo_environment(tmp_path)

    with running_demo(environment, "--check") as process:
        output_until(process, moment)
        process.send_signal(number)
        exit_code = process.wait(STOP_TIMEOUT_S)

    assert exit_code == 128 + number
    assert _processes_of(environment) == []
    assert list(tmp_path.iterdir()) == []


def test_killed_demo_leaves_nothing(tmp_path: Path) -> None:
    """When the demo is killed, its processes end and its folder is removed soon after."""
    environment = demo_environment(tmp_path)

    with running_demo(environment) as process:
        output_until(process, "Starting")
        process.kill()

    wait_until(lambda: not _processes_of(environment), what="an end of all processes")
    wait_until(lambda: not list(tmp_path.iterdir()), what="an end of its folder")


def test_command_ends_as_the_demo_does(tmp_path: Path) -> None:
    """A demo that cannot start says why in one line, and the command has its exit code."""
    done = subprocess.run(
        [Path(sys.executable).parent / "ireserve-mattermost", "demo"],
        env={**demo_environment(tmp_path), "MATTERMOST_URL": "https://chat.example.com"},
        capture_output=True,
        text=True,
        timeout=CHECK_TIMEOUT_S,
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "demo: to play against a real server, set MATTERMOST_BOT_TOKEN, MATTERMOST_TEAM, "
        "MATTERMOST_CHANNEL as well\n"
    )


def test_demo_stays_on_loopback_takes_commands_and_leaves_nothing(tmp_path: Path) -> None:
    """The demo listens only on loopback, its command line has its settings, and SIGTERM ends it."""
    environment = demo_environment(tmp_path)

    with running_demo(environment) as process:
        output = output_until_up(process)
        pids = _processes_of(environment)
        listening = _listening_on(pids)
        [commands] = re.findall(r"^Commands +(\S+) status$", output, re.MULTILINE)
        shown = subprocess.run([commands, "failed"], capture_output=True, text=True, cwd="/")
        process.send_signal(signal.SIGTERM)
        exit_code = process.wait(STOP_TIMEOUT_S)

    assert "The page    http://127.0.0.1:" in output
    assert len(pids) >= FEWEST_PROCESSES
    assert listening == {LOOPBACK}
    assert (shown.returncode, shown.stdout) == (0, "No message has failed.\n"), shown.stderr
    assert exit_code == 0
    assert _processes_of(environment) == []
    assert list(tmp_path.iterdir()) == []


def test_demo_says_so_when_a_process_ends(tmp_path: Path) -> None:
    """When one process ends, the demo ends all others and says so."""
    environment = demo_environment(tmp_path)

    with running_demo(environment) as process:
        output_until(process, "~vip: ")
        os.kill(_beat_of(environment), signal.SIGKILL)
        exit_code = process.wait(STOP_TIMEOUT_S)
        assert process.stdout is not None
        said = process.stdout.read()

    assert exit_code == 1
    assert "demo: beat ended, and all others with it: start it again\n" in said
    assert _processes_of(environment) == []
