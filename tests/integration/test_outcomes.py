"""i-Reserve is told of each failure and each thread at least once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, update

from ireserve_mattermost.lanes import Lane
from ireserve_mattermost.testing import outcome
from models import Outcome, utc_now
from tasks.outbound import outcomes
from tasks.outbound.resending import send_again
from tasks.sweep import sweep_once
from tests.stage.stage import Stage
from tests.stage.task_messages import TaskMessage
from tests.stage.task_messages import taken as taken_from

TASK, QUEUE = "ireserve.take_outcome", "ireserve"


@pytest.fixture
def stage(stage: Stage) -> Stage:
    """A licence with an i-Reserve that takes outcomes."""
    stage.configure(outcome_task=TASK, reply_queue=QUEUE)
    return stage


def taken(stage: Stage) -> list[TaskMessage]:
    """Take and return the outcomes in i-Reserve's queue."""
    return taken_from(stage.runtime.settings.redis_url, QUEUE)


def told(stage: Stage) -> list[tuple[str, str | None, str | None]]:
    """Take the new outcomes; return event, key and reason of each."""
    return [(each["event"], each["key"], each["reason"]) for _, each in taken(stage)]


def pending(stage: Stage) -> list[Outcome]:
    """Return the outcomes that i-Reserve has not been told yet."""
    with stage.runtime.database.snapshot() as session:
        return list(session.scalars(select(Outcome).order_by(Outcome.id)))


def let_all_be_due(stage: Stage) -> None:
    """Make all claimed outcomes due again."""
    with stage.runtime.database.transaction() as session:
        session.execute(update(Outcome).values(next_attempt_at=utc_now()))


def fail(stage: Stage, message_id: str) -> None:
    """Let a visitor's message be refused."""
    stage.stand_in.set_fault("plugin_rejection", scope="posts", times=1)
    stage.reply(message_id, "GEHEIM")


def test_failure_is_told_with_ids_reason_and_time_and_without_what_was_said(stage: Stage) -> None:
    """An outcome has ids, reason and time, without texts; what Celery shows has only ids."""
    stage.start()
    taken(stage)
    fail(stage, "m1")

    ((headers, notice),) = taken(stage)
    (row,) = [row for row in stage.ledger() if row.key == "reply:m1"]
    assert row.finished_at is not None
    assert notice == outcome(
        outcome_id=headers["id"],
        at=row.finished_at.isoformat(),
        licence_id="L1",
        conversation_id="c1",
        message_id="m1",
        key="reply:m1",
        kind="reply",
        task_id=row.task_id,
        reason="rejected_by_plugin",
        detail=row.detail,
    )
    assert headers["task"] == TASK
    assert headers["argsrepr"] == "()"
    assert headers["kwargsrepr"] == (
        f"L1 / c1, event=failed, key=reply:m1, outcome_id={headers['id']}"
    )
    assert "GEHEIM" not in str(notice)
    assert pending(stage) == []


def test_thread_is_told_when_it_is_made_and_when_it_is_made_anew(stage: Stage) -> None:
    """Each new thread is told with its permalink."""
    stage.start()
    first = stage.channel_posts()[0]
    stage.bot().delete_post(first.id)
    stage.reply("m1", "hello")
    second = stage.channel_posts()[0]

    notices = [notice for _, notice in taken(stage)]
    assert [notice["event"] for notice in notices] == ["thread_linked", "thread_linked"]
    assert [notice["root_post_id"] for notice in notices] == [first.id, second.id]
    assert notices[0]["permalink"] == f"{stage.stand_in.url}/_redirect/pl/{first.id}"
    assert notices[0]["conversation_id"] == "c1"


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("kind", "arguments", "expected"),
    [
        pytest.param(
            "notification",
            {"notification_type": "paid", "notification_id": 7},
            {"notification_type": "paid", "notification_id": "7", "kind": "notification"},
            id="notification",
        ),
        pytest.param("user", {"user_id": 7}, {"user_id": "7", "kind": "user"}, id="user"),
        pytest.param(
            "conversation",
            {"conversation_id": "c1", "revision": -1},
            {"conversation_id": "c1", "kind": "conversation"},
            id="change of a conversation",
        ),
        pytest.param(
            "root", {"conversation_id": "c1"}, {"conversation_id": "c1", "kind": "root"}, id="root"
        ),
    ],
)
def test_each_kind_of_failure_is_told_by_its_own_ids(
    kind: str, arguments: dict[str, Any], expected: dict[str, Any], stage: Stage
) -> None:
    """Each kind of failed message is told with its own ids."""
    stage.drain(stage.append(kind, **arguments))

    ((_, notice),) = taken(stage)
    ids = ("conversation_id", "message_id", "notification_type", "notification_id", "user_id")
    assert {name: notice[name] for name in (*ids, "kind")} == {
        **dict.fromkeys(ids),
        **expected,
    }
    assert notice["reason"] == "invalid_arguments"


@pytest.mark.one_database
def test_message_that_fails_again_is_told_again(stage: Stage) -> None:
    """A resent message that fails again is another outcome."""
    stage.start()
    fail(stage, "m1")
    (row,) = [row for row in stage.ledger() if row.key == "reply:m1"]
    stage.stand_in.set_fault("plugin_rejection", scope="posts", times=1)
    send_again(stage.runtime.database, stage.runtime.lanes, row.id)
    stage.drain(Lane.of_conversation("L1", "c1"))

    first, second = [headers["id"] for headers, _ in taken(stage)][1:]
    assert first != second


def test_broker_that_is_down_is_told_when_it_is_back(
    stage: Stage, end_broker_outage: Callable[[], None]
) -> None:
    """After an outage of the broker, the sweep tells the outcomes once and in order."""
    stage.start()
    fail(stage, "m1")
    fail(stage, "m2")
    waiting = len(pending(stage))
    end_broker_outage()
    let_all_be_due(stage)

    sweep_once(stage.runtime)

    assert waiting == 3
    assert told(stage) == [
        ("thread_linked", None, None),
        ("failed", "reply:m1", "rejected_by_plugin"),
        ("failed", "reply:m2", "rejected_by_plugin"),
    ]
    assert pending(stage) == []


class KilledError(BaseException):
    """The worker has died."""


@pytest.mark.parametrize("when", ["before it tells", "after it has told"])
def test_worker_that_dies_between_failure_and_telling_leaves_it_to_the_sweep(
    stage: Stage, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If a worker dies while it tells a failure, the sweep tells the failure with the same id."""
    stage.start()
    taken(stage)
    send = outcomes._send

    def die(*arguments: Any) -> bool:
        if when == "after it has told":
            send(*arguments)
        raise KilledError

    with monkeypatch.context() as killing:
        killing.setattr(outcomes, "_send", die)
        with pytest.raises(KilledError):
            fail(stage, "m1")
    hidden = outcomes.publish_due(stage.runtime)
    let_all_be_due(stage)
    sweep_once(stage.runtime)

    assert stage.states()["reply:m1"] == ("failed", "rejected_by_plugin")
    assert hidden == 0
    ids = [headers["id"] for headers, _ in taken(stage)]
    assert len(ids) == (2 if when == "after it has told" else 1)
    assert len(set(ids)) == 1
    assert pending(stage) == []


@pytest.mark.one_database
def test_without_a_task_nothing_is_told_also_not_later(stage: Stage) -> None:
    """Without a task for outcomes, nothing is told, and pending outcomes are dropped."""
    stage.start()
    stage.configure(outcome_task=None)
    taken(stage)
    fail(stage, "m1")
    written = pending(stage)
    with stage.runtime.database.transaction() as session:
        session.add(Outcome(licence_id="L1", outcome_id="o1", notice={"outcome_id": "o1"}))
    sweep_once(stage.runtime)

    assert written == []
    assert pending(stage) == []
    assert told(stage) == []
