"""The statements, transactions and stack frames that recording one reply takes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from celery.signals import before_task_publish

from tasks.replies.plain_text import Reading
from tests.pages import ROOT
from tests.stage.database_cost import counted
from tests.stage.stage import Stage
from tests.stage.thread import MirroredThread

OUR_FOLDERS = {"tasks", "models", "inbound"}
MAX_STATEMENTS = 15
MAX_TRANSACTIONS = 3
# Our frames on the stack when i-Reserve's task is published.
MAX_FRAMES = 10


@pytest.fixture
def thread(stage: Stage) -> MirroredThread:
    """A conversation with a reply, so that licence and author are cached."""
    thread = MirroredThread.open(stage)
    thread.configure(reply_task="ireserve.take_reply", reply_queue="ireserve")
    thread.recorded(thread.say("the first one"))
    return thread


def test_reply_takes_few_statements_and_transactions(thread: MirroredThread) -> None:
    """A reply takes at most 15 statements in 3 transactions, and each transaction writes."""
    reply_id = thread.receive(thread.say("**Hi**").id)

    with counted(thread.database) as cost:
        report = thread.resolve(reply_id)

    assert str(report) == "1 recorded"
    assert len(cost.statements) <= MAX_STATEMENTS, cost.statements
    assert len(cost.transactions) <= MAX_TRANSACTIONS, cost.transactions
    assert cost.only_reading == []


def test_row_is_loaded_once_outside_of_the_lock_and_once_inside(thread: MirroredThread) -> None:
    """The row is loaded once before and once inside the lock, and files only if there are any."""
    reply_id = thread.receive(thread.say("**Hi**").id)

    with counted(thread.database) as cost:
        thread.resolve(reply_id)

    loads = [each for each in cost.statements if "FROM replies LEFT" in " ".join(each.split())]
    assert len(loads) == 2
    assert [each for each in cost.statements if "reply_attachments" in each] == []


def test_nothing_due_writes_nothing(thread: MirroredThread) -> None:
    """A wake-up for a reply that does not exist opens no transaction."""
    with counted(thread.database) as cost:
        report = thread.resolve(987_654)

    assert str(report) == "nothing"
    assert cost.transactions == []


def test_text_is_parsed_once(thread: MirroredThread, monkeypatch: pytest.MonkeyPatch) -> None:
    """The text is parsed once for both visibility and plain text."""
    parsed: list[str] = []
    parse = Reading.of

    def counting(markdown: str) -> Reading:
        parsed.append(markdown)
        return parse(markdown)

    monkeypatch.setattr(Reading, "of", counting)

    thread.recorded(thread.say("**note:** careful"))

    assert parsed == ["**note:** careful"]


def test_way_to_ireserve_is_short_and_never_turns_back(thread: MirroredThread) -> None:
    """At most 10 of our frames are on the stack at publishing, and no file twice."""
    ways: list[list[str]] = []

    def note_way(sender: str, **_: Any) -> None:
        if sender == "ireserve.take_reply":
            ways.append(_own_files_on_the_stack())

    before_task_publish.connect(note_way)
    try:
        thread.recorded(thread.say("**Hi**"))
    finally:
        before_task_publish.disconnect(note_way)

    ((*way,),) = ways
    entered = [file for file, before in zip(way, [None, *way], strict=False) if file != before]
    assert len(way) <= MAX_FRAMES, way
    assert len(entered) == len(set(entered)), entered


def _own_files_on_the_stack() -> list[str]:
    """Return the file of each of our frames, the outermost first."""
    files, frame = [], sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] in OUR_FOLDERS:
            files.append(str(path.relative_to(ROOT)))
    return files[::-1]
