"""The runs of retention: one at a time, within their time, and visible in the status."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from models import Conversation, Reply, ReplyAttachment, UnownedFile
from tasks.privacy.retention import remove_expired, remove_files, remove_rows
from tasks.watch.removals import Removable
from tests.operators import Operator, environment_of
from tests.pages import ROOT
from tests.stage.old_data import make_old, row_count, stored_files
from tests.stage.thread import MirroredThread

KEPT = {
    "retention_conversations_days": 365,
    "retention_replies_days": 365,
    "retention_deliveries_days": 365,
}


def test_run_that_was_killed_is_finished_by_the_next_one(
    thread: MirroredThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a kill, the tables still list each stored file, and the next run removes the rest."""
    for number in range(30):
        thread.recorded(thread.say(f"reply {number}", file_ids=thread.upload(b"x")))
    make_old(thread)
    thread.configure(retention_conversations_days=365)
    environment_of(thread.stage.runtime.settings, monkeypatch)
    monkeypatch.setenv("RETENTION_CONVERSATIONS_DAYS", "365")

    program = [sys.executable, "-m", "tests.stage.dying_retention"]
    died = subprocess.run(program, cwd=ROOT, capture_output=True, timeout=60, check=False)
    left = row_count(thread, Reply)
    known = row_count(thread, ReplyAttachment) + row_count(thread, UnownedFile)
    stored = len(stored_files(thread))
    thread.stage.runtime.redis.delete(*thread.stage.runtime.redis.keys("*:lock:*"))
    remove_rows(thread.stage.runtime)
    remove_files(thread.stage.runtime)

    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    assert (left, known, stored) == (10, 30, 30)
    assert (row_count(thread, Conversation), row_count(thread, Reply)) == (0, 0)
    assert stored_files(thread) == []


def test_one_worker_at_a_time_runs_retention(thread: MirroredThread) -> None:
    """Only one worker at a time runs retention."""
    make_old(thread)
    thread.configure(**KEPT)

    with thread.stage.runtime.locks.of_retention():
        assert remove_rows(thread.stage.runtime) == {}


def test_run_ends_with_its_time_and_the_next_goes_on(thread: MirroredThread) -> None:
    """A run ends at its time limit, the next run goes on, and then retention rests."""
    make_old(thread)
    thread.configure(retention_deliveries_days=365)
    runtime = thread.stage.runtime

    no_time = remove_rows(runtime, budget_s=0.0)
    then = remove_rows(runtime)
    resting = remove_rows(runtime)

    assert (no_time, then, resting) == (
        {Removable.DELIVERIES: 0},
        {Removable.DELIVERIES: 1},
        {},
    )


def test_status_says_what_was_removed(
    thread: MirroredThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Status shows what was removed, the last run, and the files still to be removed."""
    settings = thread.stage.runtime.settings
    environment_of(settings, monkeypatch)
    monkeypatch.setenv("RETENTION_CONVERSATIONS_DAYS", "365")
    thread.recorded(thread.say("hello", file_ids=thread.upload(b"x")))
    make_old(thread)
    before = Operator(settings).json("status")["retention"]
    thread.configure(retention_conversations_days=365)
    monkeypatch.setattr("tasks.privacy.retention.current_runtime", lambda: thread.stage.runtime)

    said = remove_expired()
    after = Operator(settings).json("status")["retention"]

    nothing = {"conversations": 0, "replies": 0, "deliveries": 0, "files": 0}
    assert before == {"removed": nothing, "ran_at": None, "files_to_remove": 0}
    assert said == "1 conversations, 1 files"
    assert after["removed"] == {**nothing, "conversations": 1, "files": 1}
    assert (after["ran_at"] is None, after["files_to_remove"]) == (False, 0)
