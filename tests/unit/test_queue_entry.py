"""Which entries of the queue a worker can run as a task, and what is wrong with the others."""

from __future__ import annotations

import base64
import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ireserve_mattermost.wake_ups import licence_wake_up
from tasks.queue_entry import MAX_BYTES, UnreadableTaskError, require_runnable

TASKS = {"mattermost.drain_licence"}
DEEP = "[" * 100_000


def message(**changes: Any) -> bytes:
    """Return a wake-up's message with changed parts, as ``headers__id``; ``...`` removes a part."""
    made = json.loads(licence_wake_up("L1")[1])
    for path, value in changes.items():
        *parents, name = path.split("__")
        place = made
        for parent in parents:
            place = place[parent]
        place[name.replace("_", "-") if not parents else name] = value
        if value is ...:
            del place[name.replace("_", "-") if not parents else name]
    return json.dumps(made).encode()


def packed(content: Any) -> str:
    """Return the content encoded as a message's body."""
    return base64.b64encode(json.dumps(content).encode()).decode()


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(message(), id="ours"),
        pytest.param(message(headers__eta="2026-11-26T00:00:00+00:00"), id="at a time"),
        pytest.param(message(headers__timelimit=[5, None]), id="with a limit"),
        pytest.param(message(properties__body_encoding=..., body="[[], {}, null]"), id="plain"),
        pytest.param(
            message(headers={}, body=packed({"task": "mattermost.drain_licence", "id": "1"})),
            id="protocol 1",
        ),
    ],
)
def test_message_of_a_task_is_taken(raw: bytes) -> None:
    """A task message is accepted in each form that Celery sends."""
    require_runnable(raw, TASKS)


@pytest.mark.parametrize(
    ("raw", "named"),
    [
        pytest.param(b"no json", "JSON", id="no JSON"),
        pytest.param(b"\xff\xfe\0", "JSON", id="no text"),
        pytest.param(b"[]", "object", id="a list"),
        pytest.param(b"null", "object", id="null"),
        pytest.param(DEEP.encode(), "JSON", id="nested without end"),
        pytest.param(b'"' + b"x" * MAX_BYTES + b'"', "bytes", id="huge"),
        pytest.param(message(properties=...), "properties", id="no properties"),
        pytest.param(message(properties=[]), "properties", id="properties a list"),
        pytest.param(message(properties__delivery_tag=["x"]), "delivery_tag", id="tag a list"),
        pytest.param(message(properties__delivery_info={}), "exchange", id="no exchange"),
        pytest.param(message(properties__delivery_info=5), "delivery_info", id="no delivery info"),
        pytest.param(message(properties__body_encoding="rot13"), "base64", id="encoding"),
        pytest.param(message(content_type="application/x-python-serialize"), "type", id="pickle"),
        pytest.param(message(content_type=["x"]), "type", id="type a list"),
        pytest.param(message(content_encoding="utf-99"), "encoding", id="no such encoding"),
        pytest.param(message(body=5), "body", id="body a number"),
        pytest.param(message(body=...), "body", id="no body"),
        pytest.param(message(body="x"), "base64", id="no base64"),
        pytest.param(message(body=base64.b64encode(b"x").decode()), "JSON", id="body no JSON"),
        pytest.param(message(body=packed(5)), "body", id="body holds a number"),
        pytest.param(message(body=packed([[], {}])), "body", id="body too short"),
        pytest.param(message(body=packed([{}, {}, {}])), "arguments", id="arguments an object"),
        pytest.param(message(body=packed([[], [], {}])), "arguments", id="keywords a list"),
        pytest.param(message(body=packed([[], {}, "x"])), "follows", id="callbacks a text"),
        pytest.param(message(headers=[1]), "headers", id="headers a list"),
        pytest.param(message(headers={}), "body", id="no headers, and the body is not theirs"),
        pytest.param(message(headers__task="x"), "name", id="unknown task"),
        pytest.param(message(headers__task=["x"]), "name", id="task a list"),
        pytest.param(message(headers__id=...), "id", id="no id"),
        pytest.param(message(headers__id={}), "id", id="id an object"),
        pytest.param(message(headers__eta="tomorrow"), "eta", id="eta no time"),
        pytest.param(message(headers__expires=[1]), "expires", id="expires a list"),
        pytest.param(message(headers__retries="many"), "retries", id="retries a text"),
        pytest.param(message(headers__timelimit=5), "timelimit", id="limit a number"),
        pytest.param(message(headers__argsrepr=[1]), "argsrepr", id="argsrepr a list"),
        pytest.param(message(headers__compression="gzip"), "compression", id="packed"),
    ],
)
def test_other_things_are_refused(raw: bytes, named: str) -> None:
    """Any other entry is refused with a sentence that says what is wrong."""
    with pytest.raises(UnreadableTaskError, match=named):
        require_runnable(raw, TASKS)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(path=st.sampled_from(
    ["body", "content_type", "content_encoding", "headers", "properties", "headers__task",
     "headers__id", "headers__eta", "headers__expires", "headers__timelimit",
     "properties__delivery_tag", "properties__delivery_info", "properties__body_encoding"]
), value=JSON)  # fmt: skip
def test_whatever_stands_in_a_part_no_other_error_is_raised(path: str, value: Any) -> None:
    """For any value in any part, the message is accepted or refused with UnreadableTaskError."""
    with contextlib.suppress(UnreadableTaskError):
        require_runnable(message(**{path: value}), TASKS)
