"""The public tasks in i-Reserve's process: what a call refuses, and what importing them costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from celery import chain, chord, group

import ireserve_mattermost
import tasks
from ireserve_mattermost import InvalidMessageError, post_reply
from ireserve_mattermost.testing import recording
from tests.pages import ROOT

# Untyped, as i-Reserve's code may call it: the tests pass wrong types.
REPLY: Any = post_reply
MESSAGE = {"message_id": "m1", "sender_name": "Jan", "sender_role": "visitor", "text": "hello"}
CLIENT = sorted((ROOT / "client" / "ireserve_mattermost").glob("*.py"))


@pytest.mark.parametrize(
    "option",
    [
        {"eta": "2026-05-01"},
        {"countdown": 5},
        {"expires": 1},
        {"queue": "vip"},
        {"routing_key": "vip"},
        {"exchange": "vip"},
        {"connection": object()},
        {"link": object()},
        {"link_error": object()},
        {"chain": [object()]},
        {"chord": object()},
    ],
    ids=lambda option: next(iter(option)),
)
def test_option_that_cannot_be_kept_is_refused(option: dict[str, Any]) -> None:
    """A task option is refused if the wake-up would lose it, or if it sends elsewhere."""
    with recording() as enqueued, pytest.raises(ValueError, match=next(iter(option))):
        REPLY.apply_async(("L1", "c1"), MESSAGE, **option)

    assert enqueued == []


@pytest.mark.parametrize("canvas", ["chain", "chord", "link"])
def test_canvas_that_loses_messages_is_refused(canvas: str) -> None:
    """A Celery canvas that would lose its second message is refused."""
    first, second = REPLY.si("L1", "c1", **MESSAGE), REPLY.si("L1", "c1", **MESSAGE)
    calls: dict[str, Callable[[], Any]] = {
        "chain": lambda: chain(first, second).delay(),
        "chord": lambda: chord([first, second], second).delay(),
        "link": lambda: first.apply_async(link=second),
    }

    with recording() as enqueued, pytest.raises((ValueError, NotImplementedError)):
        calls[canvas]()

    assert enqueued == []


def test_group_enqueues_each_message() -> None:
    """A group enqueues each of its messages."""
    with recording() as enqueued:
        group(REPLY.si("L1", "c1", **{**MESSAGE, "message_id": str(n)}) for n in range(3)).delay()

    assert [call.arguments["message_id"] for call in enqueued] == ["0", "1", "2"]


@pytest.mark.parametrize("option", [{"countdown": 0}, {"retry": False}, {"priority": 3}])
def test_option_that_changes_nothing_is_taken(option: dict[str, Any]) -> None:
    """Options without effect on a message are accepted."""
    with recording() as enqueued:
        REPLY.apply_async(("L1", "c1"), MESSAGE, **option)

    assert len(enqueued) == 1


@pytest.mark.parametrize(
    ("args", "kwargs", "named"),
    [
        pytest.param(("L1", Decimal(7)), MESSAGE, "conversation_id is a Decimal", id="Decimal"),
        pytest.param((b"L1", "c1"), MESSAGE, "licence_id is a bytes", id="bytes"),
        pytest.param(("L1", True), MESSAGE, "conversation_id is a bool", id="bool"),
        pytest.param(("L1", 1.5), MESSAGE, "conversation_id is a float", id="float"),
        pytest.param(("L1", "c1"), {**MESSAGE, "message_id": ["x"]}, "is a list", id="list"),
        pytest.param(("L1", "c1"), {**MESSAGE, "text": b"x"}, "bytes", id="bytes as a text"),
        pytest.param(("L1", "c1"), {**MESSAGE, "colour": 1}, "colour", id="unknown"),
        pytest.param(("L1", "c1"), {"sender_name": "Jan"}, "message_id", id="missing"),
        pytest.param(
            ("L1", "c1"),
            {"message_id": "m1", "sender_role": "bot", "text": "x"},
            "missing a required argument: 'sender_name'",
            id="no name",
        ),
    ],
)
def test_mistake_of_a_programmer_is_a_type_error(
    args: tuple[Any, ...], kwargs: dict[str, Any], named: str
) -> None:
    """A wrong call raises TypeError at once, and nothing is enqueued."""
    with recording() as enqueued, pytest.raises(TypeError, match=named):
        REPLY.delay(*args, **kwargs)

    assert enqueued == []


@pytest.mark.parametrize("call", [REPLY, REPLY.apply], ids=["call", "apply"])
def test_task_cannot_run_in_the_caller(call: Any) -> None:
    """A public task refuses to run in the caller, which has no database and no keys."""
    with recording() as enqueued, pytest.raises(TypeError, match=r"enqueue it with \.delay"):
        call("L1", "c1", **MESSAGE)

    assert enqueued == []


def test_recorder_refuses_what_a_worker_would_refuse() -> None:
    """The recorder for i-Reserve's tests refuses the values that a worker would refuse."""
    with recording() as enqueued, pytest.raises(InvalidMessageError, match="sender_role"):
        REPLY.delay("L1", "c1", **{**MESSAGE, "sender_role": "robot"})

    assert enqueued == []


def test_ireserve_itself_needs_no_name() -> None:
    """A message of i-Reserve itself needs no sender name."""
    event = {"message_id": "m1", "sender_role": "system", "text": "Jan left the page"}
    with recording() as enqueued:
        REPLY.delay("L1", "c1", **event)

    assert [call.arguments for call in enqueued] == [
        {"licence_id": "L1", "conversation_id": "c1", **event}
    ]


def test_recorder_shows_arguments_and_context() -> None:
    """The recorder shows arguments by name and the context, as a worker would read them."""
    with recording() as enqueued:
        post_reply.apply_async(("L1", 7), MESSAGE, context={"request": "r-1"})

    (call,) = enqueued
    assert call.task == "post_reply"
    assert call.arguments == {"licence_id": "L1", "conversation_id": 7, **MESSAGE}
    assert call.context == {"request": "r-1"}


def test_tasks_has_the_same_objects() -> None:
    """In the checkout, ``from tasks import post_reply`` gives the client's own task."""
    for name in ("create_root_post", "post_reply", "send_notification", "sync_user"):
        assert getattr(tasks, name) is getattr(ireserve_mattermost, name)


FRESH = """
import resource, sys, time

import celery, redis
from celery import Celery, Task
from celery.result import AsyncResult
Celery("host", set_as_current=False).conf.task_always_eager
# redis-py and Celery use some of the others' libraries where they are installed.
before = {name.partition(".")[0] for name in sys.modules}
before_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before_s = time.process_time()

from ireserve_mattermost import post_reply
post_reply.name

cpu_s = time.process_time() - before_s
mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before_mib
print(sorted({name.partition(".")[0] for name in sys.modules} - before))
print(round(mib, 1), round(cpu_s, 3))
"""
# Modules of the workers and the web process, which i-Reserve does not need.
FOREIGN = {
    "alembic",
    "cryptography",
    "flask",
    "inbound",
    "models",
    "pydantic",
    "pydantic_settings",
    "requests",
    "settings",
    "sqlalchemy",
    "structlog",
    "tasks",
}


def test_import_loads_no_worker_modules_and_is_cheap() -> None:
    """The import loads no module of workers or web, and takes 15 MiB and 0.35 s CPU at most."""
    done = subprocess.run(
        [sys.executable, "-c", FRESH], cwd="/", capture_output=True, text=True, check=True
    )

    names, figures = done.stdout.splitlines()
    mib, cpu_s = (float(figure) for figure in figures.split())
    assert FOREIGN & set(ast.literal_eval(names)) == set()
    assert mib <= 15
    assert cpu_s <= 0.35


@pytest.mark.parametrize("path", CLIENT, ids=lambda path: path.name)
def test_syntax_fits_the_oldest_python(path: Path) -> None:
    """The client has only the syntax of the oldest Python for the oldest supported Celery."""
    ast.parse(path.read_text(), feature_version=(3, 8))
