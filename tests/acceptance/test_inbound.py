"""The team's replies with real processes: at once by webhook, all of them by catch-up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from models import ReplySource
from tests.acceptance.site import CHANNEL, MEMBER, running_site, team_of
from tests.acceptance.team import LICENCE, WORD, Team
from tests.waiting import wait_until

INTERVAL_S = 5
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def team(database_url: str, tmp_path: Path) -> Iterator[Team]:
    """A team with the thread of a conversation; the test starts what else it needs."""
    interval_s = str(INTERVAL_S)
    with running_site(tmp_path, database_url=database_url, CATCH_UP_INTERVAL_S=interval_s) as site:
        site.deployment.start_worker()
        made = Team(site)
        made.begin()
        yield made


def test_reply_is_recorded_within_a_second_or_two(team: Team) -> None:
    """From the member's post by the webhook into the table, without any beat; no log has a word."""
    team.start_web()

    team.say(3)
    wait_until(lambda: team.count_recorded() == 3, timeout_s=10, what="three replies")

    logs = team.site.deployment.logs()
    assert team.sources() == dict.fromkeys(team.said, ReplySource.WEBHOOK)
    assert [word for word in (WORD, MEMBER, "@example.com") if word in logs] == []


@SQLITE
def test_replies_written_while_the_endpoint_was_down_are_all_recorded(team: Team) -> None:
    """500 webhooks go nowhere; one catch-up brings every reply, once."""
    team.start_web().kill()
    team.say(500)

    team.site.deployment.start("beat")
    wait_until(lambda: team.count_recorded() >= 500, timeout_s=60, what="all replies")

    assert team.sources() == dict.fromkeys(team.said, ReplySource.CATCH_UP)


@SQLITE
def test_private_channel_is_covered_by_catch_up(team: Team) -> None:
    """No webhook ever comes from a private channel; the replies do."""
    channel = {"team": team_of(LICENCE), "name": CHANNEL, "type": "P"}
    team.site.stand_in.setup({"channels": [channel]})
    team.say(3)

    team.site.deployment.start("beat")
    wait_until(lambda: team.count_recorded() == 3, timeout_s=30, what="the replies")

    assert list(team.sources()) == list(team.said)
