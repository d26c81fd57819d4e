"""A run of the suite reports the logs of failed tests, and the time by folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pages import ROOT

CONFTEST = """
from tests.reporting import *
from types import SimpleNamespace
import os
import pytest

@pytest.fixture
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    (folder / "quiet.log").write_text("what it said before the test")
    os.utime(folder / "quiet.log", (0, 0))
    return SimpleNamespace(directory=folder)

@pytest.fixture
def broken(tmp_path):
    (tmp_path / "beat-0.log").write_text("beat's last line")
    raise OSError("it does not start")
"""
TESTS = """
import pytest

def test_with_processes(tmp_path, server):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "worker-0.log").write_text("\\n".join(f"line {n}" for n in range(100)))
    (tmp_path / "web-0.log").touch()
    (server.directory / "server.log").write_text("the server's last line")
    assert OUTCOME

def test_whose_process_does_not_start(broken):
    pass

@pytest.mark.skip(reason="to be counted")
def test_that_is_skipped():
    pass
"""


def _run(directory: Path, *options: str, outcome: bool = False) -> tuple[int, str]:
    """Run a small suite with our hooks; return its exit code and output."""
    (directory / "some").mkdir()
    (directory / "some" / "conftest.py").write_text(CONFTEST)
    (directory / "some" / "test_it.py").write_text(TESTS.replace("OUTCOME", str(outcome)))
    command = [sys.executable, "-m", "pytest", "--rootdir", str(directory), *options, "some"]
    done = subprocess.run(
        command, cwd=directory, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True,
    )  # fmt: skip
    return done.returncode, done.stdout


@pytest.mark.parametrize("workers", ["0", "2"])
def test_failed_test_prints_the_last_lines_of_its_processes(tmp_path: Path, workers: str) -> None:
    """A failed test prints the last log lines of its processes and servers."""
    exit_code, said = _run(tmp_path, "-n", workers, "-k", "with_processes")

    assert exit_code == 1
    assert "worker-0.log" in said
    assert "line 80\n" in said
    assert "line 99\n" in said
    assert "line 79\n" not in said
    assert "the server's last line" in said
    assert "/web-0.log" not in said
    assert "before the test" not in said


def test_processes_of_a_stage_that_does_not_come_up_are_printed_too(tmp_path: Path) -> None:
    """The logs of a failed fixture's processes are printed, too."""
    exit_code, said = _run(tmp_path, "-k", "does_not_start")

    assert exit_code == 1
    assert "beat's last line" in said


def test_passed_test_prints_nothing_of_its_processes(tmp_path: Path) -> None:
    """A passed test prints no logs."""
    exit_code, said = _run(tmp_path, "-k", "with_processes", outcome=True)

    assert exit_code == 0
    assert "last line" not in said


@pytest.mark.parametrize(("options", "expected"), [((), 0), (("--fail-on-skip",), 1)])
def test_skipped_test_fails_the_run_if_that_was_asked_for(
    tmp_path: Path, options: tuple[str, ...], expected: int
) -> None:
    """A skipped test fails the run only with the option."""
    exit_code, said = _run(tmp_path, "-k", "skipped", *options)

    assert exit_code == expected
    assert "1 skipped" in said


def test_time_of_each_folder_is_told_beside_the_slowest_tests(tmp_path: Path) -> None:
    """Beside the slowest tests, the seconds and number of tests of each folder are printed."""
    exit_code, said = _run(tmp_path, "--durations", "20", "-k", "with_processes", outcome=True)

    (line,) = [line for line in said.splitlines() if line.endswith("  some")]
    assert exit_code == 0
    assert line.split()[1:3] == ["s", "1"]
