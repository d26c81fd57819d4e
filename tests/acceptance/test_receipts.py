"""Real processes give receipts soon, but not before the author's client can show them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from models import Reply
from tests.stage.deployed_thread import DeployedThread, running_thread
from tests.waiting import wait_until

INTERVAL_S = 5
EARLIEST_S, LATEST_S = 1.5, 3.0


@pytest.fixture
def thread(database_url: str, tmp_path: Path) -> Iterator[DeployedThread]:
    """A conversation's thread with a worker; the test starts the other processes."""
    with running_thread(
        tmp_path, database_url=database_url, catch_up_interval_s=INTERVAL_S
    ) as thread:
        yield thread


def _given_at(thread: DeployedThread) -> dict[str, float]:
    """Return the time of each post's first receipt."""
    reactions = thread.stage.stand_in.received(method="POST", path="/reactions")
    return {call.post_id: call.time_ms / 1_000 for call in reversed(reactions)}


def _received_at(thread: DeployedThread) -> dict[str, float]:
    """Return when each reply was received, before catch-up sees receipts and updates the rows."""
    wait_until(lambda: thread.count_received() == len(thread.said), what="all replies")
    with thread.stage.database.transaction() as session:
        return {row.post_id: row.received_at.timestamp() for row in session.query(Reply)}


def _wait_for_marks(thread: DeployedThread, *, timeout_s: float) -> None:
    wait_until(
        lambda: len(_given_at(thread)) == len(thread.said),
        timeout_s=timeout_s,
        what="a mark on each reply",
    )


@pytest.mark.one_database
@pytest.mark.measures_time
@pytest.mark.parametrize("way", ["webhook", pytest.param("catch-up", marks=pytest.mark.full_load)])
def test_receipts_of_a_burst_come_in_time(thread: DeployedThread, way: str) -> None:
    """Each of thirty replies at once gets its receipt 1.5 s to 3 s after it was received."""
    if way == "webhook":
        thread.start_web()
        thread.say(30)
    else:
        thread.say(30)
        thread.stage.deployment.start("beat")

    received_at = _received_at(thread)
    _wait_for_marks(thread, timeout_s=30)

    delays_s = [at - received_at[post_id] for post_id, at in _given_at(thread).items()]
    assert len(delays_s) == 30
    assert [each for each in delays_s if not EARLIEST_S <= each <= LATEST_S] == []


@pytest.mark.one_database
def test_receipts_are_given_though_their_worker_is_killed(thread: DeployedThread) -> None:
    """If a worker dies after recording replies, the sweep lets another worker give receipts."""
    thread.start_web()
    thread.say(5)
    received_at = _received_at(thread)
    wait_until(lambda: thread.count_recorded() == 5, what="five replies")
    for process in thread.stage.deployment.running:
        if process.name == "worker":
            process.kill()
    at_the_kill = len(_given_at(thread))

    thread.stage.deployment.start_worker()
    thread.stage.deployment.start("beat")
    _wait_for_marks(thread, timeout_s=30)

    given_at = _given_at(thread)
    assert at_the_kill == 0
    assert min(given_at[post_id] - received_at[post_id] for post_id in given_at) >= EARLIEST_S
