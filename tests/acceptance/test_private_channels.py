"""Real processes record a private channel's replies within seconds, without webhooks."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest
from sqlalchemy import select

from models import Reply
from tests.stage.deployed import CHANNEL, MEMBER, running_stage, team_of
from tests.stage.deployed_thread import LICENCE, DeployedThread
from tests.waiting import wait_until

# So that no full catch-up runs during the test.
RARELY_S = 86_400
REPLIES = 50
SEED = 20_261_126


@pytest.fixture
def thread(database_url: str, tmp_path: Path) -> Iterator[DeployedThread]:
    """A conversation in a private channel, with a worker and beat."""
    with running_stage(
        tmp_path, database_url=database_url, CATCH_UP_INTERVAL_S=str(RARELY_S)
    ) as stage:
        channel = {"team": team_of(LICENCE), "name": CHANNEL, "type": "P"}
        stage.stand_in.setup({"channels": [channel]})
        stage.deployment.start_worker()
        made = DeployedThread(stage)
        made.begin()
        stage.deployment.start("beat")
        yield made


def _texts(thread: DeployedThread) -> list[str | None]:
    with thread.stage.database.transaction() as session:
        return list(session.scalars(select(Reply.text)))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_reply_edit_and_deletion_arrive_within_seconds(thread: DeployedThread) -> None:
    """The next look at busy channels finds a reply, its edit and its deletion."""
    thread.say(1)
    wait_until(lambda: thread.count_recorded() == 1, timeout_s=10, what="the reply")
    (post_id,) = thread.said

    with thread.stage.member() as member:
        member.patch_post(post_id, message="better")
        wait_until(lambda: _texts(thread) == ["better"], timeout_s=10, what="the edit")
        member.delete_post(post_id)
        wait_until(lambda: _texts(thread) == [None], timeout_s=10, what="the deletion")


@pytest.mark.full_load
@pytest.mark.measures_time
def test_median_of_fifty_replies_is_under_three_seconds(thread: DeployedThread) -> None:
    """The median delay of fifty replies at irregular times is under three seconds."""
    pace, rng = threading.Event(), random.Random(SEED)
    for _ in range(REPLIES):
        thread.say(1)
        pace.wait(rng.uniform(0.2, 1.2))

    wait_until(lambda: thread.count_recorded() == REPLIES, timeout_s=30, what="all replies")

    delays_s = thread.delays_s()
    assert len(delays_s) == REPLIES
    assert median(delays_s) < 3
    assert MEMBER not in thread.stage.deployment.logs()
