"""Every log line about a message or a reply has one id, from `.delay()` to the post."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from structlog.contextvars import get_contextvars, merge_contextvars
from structlog.testing import capture_logs
from structlog.typing import EventDict

from ireserve_mattermost.lanes import Lane
from ireserve_mattermost.message_task import use_lanes
from ireserve_mattermost.tasks import post_reply
from tests.operators import Operator
from tests.stage.stage import LICENCE, VISITOR, Stage, drain
from tests.stage.thread import MirroredThread

pytestmark = pytest.mark.one_database

MESSAGE: dict[str, Any] = {
    "licence_id": LICENCE,
    "conversation_id": "c1",
    "text": "hello",
    **VISITOR,
}


@pytest.fixture
def lane(stage: Stage) -> Iterator[Lane]:
    """The lane of a conversation, to which `.delay()` appends."""
    before = use_lanes(stage.runtime.lanes)
    yield Lane.of_conversation(LICENCE, "c1")
    use_lanes(before)


def _lines(logs: list[EventDict]) -> list[tuple[str, str]]:
    return [(line["event"], line["correlation_id"]) for line in logs]


def test_each_message_of_a_burst_has_the_id_that_delay_returned(stage: Stage, lane: Lane) -> None:
    """Each log line about a message has its own id, though one task sends a burst."""
    stage.start()
    ids = [post_reply.delay(**MESSAGE, message_id=f"m{number}").id for number in range(3)]

    with capture_logs(processors=[merge_contextvars]) as logs:
        drain(stage.runtime, lane)

    assert _lines(logs) == [("message_sent", each) for each in ids]
    assert "correlation_id" not in get_contextvars()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param("request-7", "request-7", id="text"),
        pytest.param("x" * 1_000, "x" * 100, id="long"),
        pytest.param("", None, id="empty"),
        pytest.param(7, None, id="no text"),
    ],
)
def test_callers_correlation_id_replaces_the_tasks(
    stage: Stage, lane: Lane, given: Any, expected: str | None
) -> None:
    """The caller's correlation id, if a text that is not empty, replaces the task's id."""
    stage.stand_in.set_fault("plugin_rejection", scope="posts")
    message = {**MESSAGE, "message_id": "m1"}
    result = post_reply.apply_async(kwargs=message, context={"correlation_id": given})

    with capture_logs(processors=[merge_contextvars]) as logs:
        drain(stage.runtime, lane)

    assert _lines(logs) == [("message_failed", expected or result.id)]


def test_message_that_waits_is_named_and_those_behind_it_are_not(stage: Stage, lane: Lane) -> None:
    """The log names the waiting message, and not the untried messages behind it."""
    stage.start()
    stage.stand_in.set_fault("rate_limited", scope="posts", retry_after_s=60)
    ids = [post_reply.delay(**MESSAGE, message_id=f"m{number}").id for number in range(2)]

    with capture_logs(processors=[merge_contextvars]) as logs:
        drain(stage.runtime, lane)

    assert _lines(logs) == [("message_waiting", ids[0])]


def test_reply_has_the_id_of_its_post_in_each_line(stage: Stage) -> None:
    """Each log line about a reply or its files has the post's id."""
    thread = MirroredThread.open(stage)
    post = thread.say("look", file_ids=thread.upload(b"x"))
    reply_id = thread.receive(post.id)

    with (
        thread.fault("error_500", scope="files"),
        capture_logs(processors=[merge_contextvars]) as logs,
    ):
        for _ in range(3):
            thread.resolve(reply_id)

    assert {line["event"] for line in logs} == {
        "reply_waits",
        "reply_file_missing",
        "reply_recorded",
    }
    assert {line.get("correlation_id") for line in logs} == {post.id}


@pytest.mark.parametrize(
    "given", [pytest.param("request-7", id="its caller's"), pytest.param(None, id="its task's")]
)
def test_failed_message_is_listed_and_sent_again_under_its_id(
    stage: Stage, operator: Operator, lane: Lane, given: str | None
) -> None:
    """The list of failures shows the id, and resending keeps it."""
    stage.start()
    context = {"correlation_id": given} if given else {}
    stage.stand_in.set_fault("plugin_rejection", scope="posts", times=1)
    result = post_reply.apply_async(kwargs={**MESSAGE, "message_id": "m1"}, context=context)
    drain(stage.runtime, lane)

    (listed,) = operator.json("failed", LICENCE)["failed"]
    operator.run("resend", LICENCE, "--yes")
    with capture_logs(processors=[merge_contextvars]) as logs:
        drain(stage.runtime, lane)
    shown = operator.json("conversation", LICENCE, "c1")["conversation"]["messages"][-1]

    expected = given or result.id
    assert listed["correlation_id"] == shown["correlation_id"] == expected
    assert _lines(logs) == [("message_sent", expected)]
