"""At Ctrl-C or a signal, a command ends with one sentence that says what is done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ireserve_mattermost.lanes import Lane
from tests.operators import environment_of
from tests.pages import ROOT
from tests.stage.rows import stored
from tests.stage.stage import LICENCE, Stage


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One kind of database, since the tests are about the end of a process."""
    return sqlite_url


@contextmanager
def command(*words: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command as an operator's shell does; its standard input stays open and empty."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tasks.cli", *words],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def ended(process: subprocess.Popen[str], signum: int) -> tuple[int, str, str]:
    """Send the signal; return exit code, standard output, and the last line of standard error."""
    process.send_signal(signum)
    stdout, stderr = process.communicate(timeout=20)
    return process.returncode, stdout, stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("signum", "exit_code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143)],
    ids=["Ctrl-C", "SIGTERM"],
)
def test_what_is_done_is_told_when_a_command_is_broken_off(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, signum: int, exit_code: int
) -> None:
    """An interrupted command says how many of two conversations have been erased."""
    environment_of(stage.runtime.settings, monkeypatch)
    for conversation in ("c1", "c2"):
        stage.start(conversation)
    words = ("--conversation", "c1", "--conversation", "c2", "--yes", "--json")

    with (
        stage.runtime.lanes.try_lock(Lane.of_conversation(LICENCE, "c2")),
        command("erase", LICENCE, *words) as process,
    ):
        assert process.stderr is not None
        told = next(line for line in process.stderr if "operator_action" in line)
        code, stdout, line = ended(process, signum)

    assert "conversation=c1" in told
    assert (code, line.partition(",")[0]) == (exit_code, "Interrupted: Erased: conversations 1")
    assert line in stdout


def test_question_that_is_broken_off_is_no_answer(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C at a question ends with exit code 130 and changes nothing, as a line says."""
    environment_of(stage.runtime.settings, monkeypatch)
    asked = ""

    with command("licence", "remove", LICENCE) as process:
        assert process.stdout is not None
        while not asked.endswith("[y/N]: "):
            asked += process.stdout.read(1)
        code, _, line = ended(process, signal.SIGINT)

    assert "Remove licence" in asked
    assert (code, line) == (130, "Interrupted: nothing was changed.")
    assert stored(stage).id == LICENCE
