"""Run a deployment with its own Redis, Mattermost and licences."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from demo.mattermost.received import Received
from demo.redis_server import RedisServer, running_redis
from models import Database
from settings import Settings
from tasks.licences.registration import Registration
from tasks.mattermost import MattermostClient
from tests.stage.deployment import ROOT, Deployment
from tests.stage.registering import register
from tests.stage.stand_in_process import StandInProcess, running_stand_in

CHANNEL = "webchat"
# A member who is in the channel of each licence.
MEMBER = "anna"


@dataclass(slots=True)
class DeployedStage:
    """Servers that a test may kill, and a deployment whose processes the test starts."""

    deployment: Deployment
    redis: RedisServer
    stand_in: StandInProcess
    database: Database
    channel_ids: dict[str, str] = field(default_factory=dict)

    def add_licence(self, licence_id: str) -> None:
        """Make a team, a channel and a bot for the licence, and register it."""
        team, bot = team_of(licence_id), bot_of(licence_id)
        place = f"{team}/{CHANNEL}"
        made = self.stand_in.setup(
            {
                "teams": [{"name": team}],
                "channels": [{"team": team, "name": CHANNEL}],
                "users": [{"username": MEMBER, "channels": [place]}],
                "bots": [{"username": bot, "channels": [place]}],
            }
        )
        token = made["bots"][bot]["token"]
        settings = Settings(encryption_keys=self.deployment.environment["ENCRYPTION_KEYS"])
        registration = Registration(licence_id, self.stand_in.url, team, CHANNEL, token)
        register(registration, settings=settings, database=self.database)
        self.channel_ids[licence_id] = made["channels"][place]["id"]

    def member(self) -> MattermostClient:
        """Return a client with the member's token."""
        made = self.stand_in.setup({"users": [{"username": MEMBER}]})
        return MattermostClient(self.stand_in.url, made["users"][MEMBER]["token"])

    def accepted(self) -> list[Received]:
        """Return the record of the posts that the server made, in order, without duplicates."""
        return [
            entry
            for entry in self.stand_in.received(method="POST", path="/posts")
            if entry.post_id and not entry.duplicate
        ]


def team_of(licence_id: str) -> str:
    """Return the name of a licence's team."""
    return f"team-{licence_id.lower()}"


def bot_of(licence_id: str) -> str:
    """Return the name of a licence's bot."""
    return f"bot-{licence_id.lower()}"


@contextmanager
def running_stage(
    directory: Path,
    *,
    database_url: str,
    licences: tuple[str, ...] = ("L1",),
    source: Path = ROOT,
    stop_with: int = signal.SIGTERM,
    redis_environment: Mapping[str, str] | None = None,
    **settings: str,
) -> Iterator[DeployedStage]:
    """Yield a stage with these licences, whose processes run the code in ``source``.

    At the end of the block each process of the deployment gets the signal ``stop_with``.
    """
    database = Database(database_url.replace("postgresql:", "postgresql+psycopg:"))
    with (
        running_redis(directory / "redis", fsync="always", environment=redis_environment) as redis,
        running_stand_in(directory / "mattermost") as stand_in,
    ):
        deployment = Deployment.create(
            directory, redis_url=redis.url, database_url=database_url, source=source, **settings
        )
        stage = DeployedStage(deployment, redis, stand_in, database)
        try:
            for licence_id in licences:
                stage.add_licence(licence_id)
            yield stage
        finally:
            deployment.stop(with_signal=stop_with)
            database.dispose()
