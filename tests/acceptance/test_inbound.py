"""Real processes record the team's replies: soon by webhook, and all of them by catch-up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from models import ReplySource
from tests.stage.deployed import CHANNEL, MEMBER, team_of
from tests.stage.deployed_thread import LICENCE, WORD, DeployedThread, running_thread
from tests.waiting import wait_until

INTERVAL_S = 5
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def thread(database_url: str, tmp_path: Path) -> Iterator[DeployedThread]:
    """A conversation's thread with a worker; the test starts the other processes."""
    with running_thread(
        tmp_path, database_url=database_url, catch_up_interval_s=INTERVAL_S
    ) as thread:
        yield thread


@pytest.mark.one_database
def test_reply_is_recorded_within_a_second_or_two(thread: DeployedThread) -> None:
    """The webhook brings a reply into the table without beat, and no log holds its text.

    The logs of web and worker name the post's id.
    """
    web = thread.start_web()

    thread.say(3)
    wait_until(lambda: thread.count_recorded() == 3, timeout_s=10, what="three replies")
    # The worker logs a reply after its commit.
    wait_until(
        lambda: thread.stage.deployment.logs().count("reply_recorded") == 3, what="three log lines"
    )

    logs = thread.stage.deployment.logs()
    for post_id in thread.said:
        named = [line for line in logs.splitlines() if f"correlation_id={post_id}" in line]
        assert [line for line in named if "reply_recorded" in line], named
        assert f"correlation_id={post_id}" in web.log_text()
    assert thread.sources() == dict.fromkeys(thread.said, ReplySource.WEBHOOK)
    assert [word for word in (WORD, MEMBER, "@example.com") if word in logs] == []


@SQLITE
def test_replies_written_while_the_endpoint_was_down_are_all_recorded(
    thread: DeployedThread,
) -> None:
    """When 500 webhooks have failed, catch-up records every reply once."""
    thread.start_web().kill()
    thread.say(500)

    thread.stage.deployment.start("beat")
    wait_until(lambda: thread.count_recorded() >= 500, timeout_s=60, what="all replies")

    assert thread.sources() == dict.fromkeys(thread.said, ReplySource.CATCH_UP)


@SQLITE
def test_private_channel_is_covered_by_catch_up(thread: DeployedThread) -> None:
    """Catch-up records the replies in a private channel, which has no webhooks, in order."""
    channel = {"team": team_of(LICENCE), "name": CHANNEL, "type": "P"}
    thread.stage.stand_in.setup({"channels": [channel]})
    thread.say(3)

    thread.stage.deployment.start("beat")
    wait_until(lambda: thread.count_recorded() == 3, timeout_s=30, what="the replies")

    assert list(thread.sources()) == thread.said_in_order()
