"""How far a message's text walks from its task to the request: not far, and straight ahead."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from itertools import groupby
from traceback import FrameSummary
from typing import Any

import pytest

from ireserve_mattermost import post_reply
from tasks.mattermost.connections import FreshAdapter
from tests.stage.stage import LICENCE, VISITOR, Stage

MAX_FRAMES = 16
MAX_FILES = 8
# As Celery sees it: i-Reserve may enqueue it, and no more.
TASK: Any = post_reply
ARGUMENTS = {
    "licence_id": LICENCE,
    "conversation_id": "c1",
    "message_id": "m1",
    "text": "hello",
    **VISITOR,
}


@pytest.fixture
def stacks(monkeypatch: pytest.MonkeyPatch) -> list[list[FrameSummary]]:
    """The functions that are under way whenever a request is handed to the HTTP library."""
    seen: list[list[FrameSummary]] = []
    send = FreshAdapter.send

    def note(*args: Any, **more: Any) -> Any:
        seen.append(list(traceback.extract_stack()[:-1]))
        return send(*args, **more)

    monkeypatch.setattr(FreshAdapter, "send", note)
    return seen


@pytest.fixture
def as_in_a_worker(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The task is called as Celery's worker calls it, with this process's parts."""
    monkeypatch.setattr("tasks.outbound.tasks.current_runtime", lambda: stage.runtime)
    TASK.push_request(id="task-9", called_directly=False, kwargs=ARGUMENTS)
    yield
    TASK.pop_request()


@pytest.mark.usefixtures("as_in_a_worker")
def test_text_goes_from_the_task_to_the_request_in_few_steps_and_never_back(
    stage: Stage, stacks: list[list[FrameSummary]]
) -> None:
    """At most 16 functions of 8 files are under way, and no file is entered a second time."""
    stage.start()
    stacks.clear()

    TASK()

    # The first request draws the card.
    stack = stacks[-1]
    begin = next(i for i, frame in enumerate(stack) if frame.filename.endswith("message_task.py"))
    walk = stack[begin:]
    files = [file for file, _ in groupby(frame.filename for frame in walk)]
    assert len(walk) <= MAX_FRAMES, [frame.name for frame in walk]
    assert len(set(files)) <= MAX_FILES, files
    assert len(files) == len(set(files)), files
