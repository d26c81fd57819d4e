"""A deployment of real processes with a licence on a stand-in server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from demo.mattermost import StandIn
from demo.mattermost.received import Received
from demo.redis_server import RedisServer, running_redis
from tests.deployment import Deployment

PLACE = "support/webchat"
BOT = "ireserve"


@dataclass(slots=True)
class Site:
    """A deployment, its stand-in server, and the licences that are registered."""

    deployment: Deployment
    stand_in: StandIn
    channel_ids: dict[str, str]

    def add_licence(self, licence_id: str) -> None:
        """Make a team, a channel and a bot for the licence, and register it with the command."""
        place = f"team-{licence_id.lower()}/webchat"
        team, channel = place.split("/")
        bot = f"bot-{licence_id.lower()}"
        made = self.stand_in.setup(
            {
                "teams": [{"name": team}],
                "channels": [{"team": team, "name": channel}],
                "users": [{"username": "anna", "channels": [place]}],
                "bots": [{"username": bot, "channels": [place]}],
            }
        )
        done = self.deployment.command(
            "licence", "add", licence_id, "--url", self.stand_in.url, "--team", team,
            "--channel", channel, "--token-file", "-", stdin=made["bots"][bot]["token"],
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        self.channel_ids[licence_id] = made["channels"][place]["id"]

    def accepted(self) -> list[Received]:
        """Return the posts that the server made, in order; a deduplicated request made none."""
        return [
            entry
            for entry in self.stand_in.received(method="POST", path="/posts")
            if entry.post_id and not entry.duplicate
        ]


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis server that the test may stop and kill."""
    with running_redis(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def site(redis_url: str, database_url: str, stand_in: StandIn, tmp_path: Path) -> Iterator[Site]:
    """A deployment with licence L1; the test starts the processes that it needs."""
    deployment = Deployment.create(tmp_path, redis_url=redis_url, database_url=database_url)
    made = Site(deployment, stand_in, {})
    made.add_licence("L1")
    yield made
    deployment.stop()
