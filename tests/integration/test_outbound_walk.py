"""A message's text passes through few functions from its task to the request."""

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
# The task; its public type does not show what Celery's worker calls.
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
    """The functions on the stack whenever the HTTP library gets a request."""
    seen: list[list[FrameSummary]] = []
    send = FreshAdapter.send

    def note(*args: Any, **more: Any) -> Any:
        seen.append(list(traceback.extract_stack()[:-1]))
        return send(*args, **more)

    monkeypatch.setattr(FreshAdapter, "send", note)
    return seen


@pytest.fixture
def as_in_a_worker(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Call the task as Celery's worker does, with this process's runtime."""
    monkeypatch.setattr("tasks.outbound.tasks.current_runtime", lambda: stage.runtime)
    TASK.push_request(id="task-9", called_directly=False, kwargs=ARGUMENTS)
    yield
    TASK.pop_request()


@pytest.mark.usefixtures("as_in_a_worker")
def test_text_goes_from_the_task_to_the_request_in_few_steps_and_never_back(
    stage: Stage, stacks: list[list[FrameSummary]]
) -> None:
    """At most 16 functions of 8 files are on the stack, and no file twice."""
    stage.start()
    stacks.clear()

    TASK()

    # The last request has the text: the first one draws the card.
    stack = stacks[-1]
    begin = next(i for i, frame in enumerate(stack) if frame.filename.endswith("message_task.py"))
    walk = stack[begin:]
    files = [file for file, _ in groupby(frame.filename for frame in walk)]
    assert len(walk) <= MAX_FRAMES, [frame.name for frame in walk]
    assert len(set(files)) <= MAX_FILES, files
    assert len(files) == len(set(files)), files
