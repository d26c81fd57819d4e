"""How the doctor judges the workers that answered and the sweeps that ran."""

from __future__ import annotations

import pytest

from ireserve_mattermost.wake_ups import DRAIN_LICENCE, QUEUE
from tasks.checks.workers import (
    OUTCOME_TASK,
    REPLY_TASK,
    HostTask,
    Worker,
    check_host_task,
    check_workers,
)

TASK = "ireserve.record_reply"


def worker(name: str, queue: str, *tasks: str) -> Worker:
    """Return a worker of one queue."""
    return Worker(name, frozenset({queue}), frozenset(tasks))


OURS, OLDER = worker("ours@a", QUEUE, DRAIN_LICENCE), worker("older@a", QUEUE, DRAIN_LICENCE)
HOST, STRANGER = worker("host@b", "celery", TASK), worker("stranger@c", QUEUE, TASK)


@pytest.mark.parametrize(
    ("own", "usual", "state", "sentence"),
    [
        pytest.param([OURS], [HOST], "ok", "alive: ours@a", id="ours beside i-Reserve's"),
        pytest.param([OURS], [OLDER], "ok", "alive: older@a, ours@a", id="an older version's too"),
        pytest.param([], [HOST], "fail", "no worker of the queue", id="i-Reserve's alone"),
        pytest.param([OURS], [STRANGER], "fail", "lose what they take: stranger@c", id="stranger"),
        pytest.param(None, [], "skip", "the broker", id="not asked"),
    ],
)
def test_only_workers_that_do_our_work_count(
    own: list[Worker] | None, usual: list[Worker], state: str, sentence: str
) -> None:
    """A worker that reads our queue without our tasks fails the check; i-Reserve's are ignored."""
    check = check_workers(own, usual)

    assert (check.state.value, bool(check.cure)) == (state, state == "fail")
    assert sentence in check.sentence


@pytest.mark.parametrize("kind", [REPLY_TASK, OUTCOME_TASK], ids=lambda kind: kind.setting)
@pytest.mark.parametrize(
    ("task", "workers", "waiting", "state", "sentence"),
    [
        pytest.param(None, [], 0, "skip", "_TASK is not set", id="not set"),
        pytest.param(TASK, None, 0, "skip", "the broker", id="not asked"),
        pytest.param(TASK, [HOST], 0, "ok", "is known to a worker", id="taken"),
        pytest.param("typo", [HOST], 0, "fail", "knows typo: host@b", id="unknown there"),
        pytest.param(TASK, [STRANGER], 0, "warn", "no worker that reads", id="another queue"),
        pytest.param(TASK, [], 3, "fail", "messages in it: 3", id="replies wait"),
    ],
)
def test_doctor_checks_that_a_worker_takes_the_task(
    kind: HostTask,
    task: str | None,
    workers: list[Worker] | None,
    waiting: int,
    state: str,
    sentence: str,
) -> None:
    """The doctor checks that a worker reads the queue and knows the task."""
    check = check_host_task(kind, task, "celery", workers, waiting=waiting)

    assert check.name == kind.name
    assert (check.state.value, bool(check.cure)) == (state, state in {"warn", "fail"})
    assert sentence in check.sentence
