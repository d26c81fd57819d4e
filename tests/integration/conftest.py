"""A licence on the stand-in, and a worker's parts to drain its lanes with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import select

from demo.mattermost import StandIn
from demo.redis_server import RedisServer
from models import Conversation, Database, Delivery, KeyRing
from models.keyring import new_key
from settings import Settings, get_settings
from tasks.app import app, append_message
from tasks.lanes import PREFIX, Lane
from tasks.licences.registration import LicenceOrder, register_licence
from tasks.mattermost import MattermostClient, Post
from tasks.messages import lane_of
from tasks.outbound.drain import Report, drain
from tasks.runtime import Runtime, build_runtime

TEAM = "support"
CHANNEL = "webchat"
BOT = "ireserve"
LICENCE = "L1"
VISITOR = {"sender_name": "Jan", "sender_role": "visitor"}


@dataclass(slots=True)
class Office:
    """One licence with its channel and bot on the stand-in, as the tests use it."""

    runtime: Runtime
    stand_in: StandIn
    channel_id: str
    bot_token: str
    user_token: str
    store: Path
    next_task: int = 0

    def append(self, kind: str, **payload: Any) -> Lane:
        """Put a message into its lane without waking anybody."""
        self.next_task += 1
        payload = {"licence_id": LICENCE, **payload}
        append_message(self.runtime.lanes, kind, payload, f"task-{self.next_task}")
        return lane_of(kind, payload)

    def drain(self, lane: Lane) -> Report:
        """Drain the lane, as if the time were over for which it is to be left alone."""
        with Redis.from_url(self.runtime.settings.redis_url) as redis:
            redis.delete(f"{PREFIX}pause:{lane}")
        return drain(self.runtime, lane)

    def start(self, conversation_id: str = "c1", **more: Any) -> Report:
        """Enqueue a conversation's start and drain its lane."""
        arguments = {"visitor_name": "Jan", "conversation_id": conversation_id, **more}
        return self.drain(self.append("root", **arguments))

    def reply(
        self, message_id: str, text: str = "", conversation_id: str = "c1", **more: Any
    ) -> Report:
        """Enqueue a visitor's message and drain its lane."""
        arguments = {
            "conversation_id": conversation_id,
            "message_id": message_id,
            "text": text,
            **VISITOR,
            **more,
        }
        return self.drain(self.append("reply", **arguments))

    def notify(self, notification_type: str = "booking", text: str = "news", **more: Any) -> Report:
        """Enqueue a notification and drain its lane."""
        arguments = {"notification_type": notification_type, "text": text, **more}
        return self.drain(self.append("notification", **arguments))

    def channel_posts(self, channel_id: str | None = None) -> list[Post]:
        """Return what is in the channel, oldest first, as a member sees it."""
        page = self.member().get_posts_page(channel_id or self.channel_id, page=0, per_page=200)
        return sorted(page, key=lambda post: post.create_at_ms)

    def member(self) -> MattermostClient:
        """Return a client with which a team member looks."""
        return MattermostClient(self.stand_in.url, self.user_token)

    def bot(self) -> MattermostClient:
        """Return a client with which the bot acts."""
        return MattermostClient(self.stand_in.url, self.bot_token)

    def posts_sent(self) -> list[Any]:
        """Return the record of the POST /posts requests."""
        return self.stand_in.received(method="POST", path="/posts")

    def ledger(self) -> list[Delivery]:
        """Return all rows of the ledger in the order they were begun."""
        with self.runtime.database.transaction() as session:
            return list(session.scalars(select(Delivery).order_by(Delivery.id)))

    def states(self) -> dict[str, tuple[str, str | None]]:
        """Return state and reason of each message in the ledger by key."""
        return {row.key: (row.state.value, row.reason) for row in self.ledger()}

    def conversation(self) -> Conversation:
        """Return the one conversation there is."""
        with self.runtime.database.transaction() as session:
            return session.scalars(select(Conversation)).one()


@pytest.fixture(scope="session", autouse=True)
def broker(redis_server: RedisServer) -> Iterator[None]:
    """Our Celery application publishes to the tests' own Redis; nobody takes it from there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REDIS_URL", redis_server.url)
        get_settings.cache_clear()
        app.conf.broker_url = redis_server.url
        yield
    get_settings.cache_clear()


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path: Path) -> Settings:
    """The settings of an installation on the tests' own servers."""
    store = tmp_path / "store"
    store.mkdir()
    return Settings(
        database_url=database_url,
        redis_url=redis_url,
        encryption_keys=new_key(),
        attachments_url=f"file://{store}",
        connect_timeout_s=1.0,
        read_timeout_s=1.0,
    )


@pytest.fixture
def office(settings: Settings, stand_in: StandIn, tmp_path: Path) -> Iterator[Office]:
    """A registered licence, on each kind of database."""
    place = f"{TEAM}/{CHANNEL}"
    made = stand_in.setup(
        {
            "teams": [{"name": TEAM}],
            "channels": [{"team": TEAM, "name": CHANNEL}],
            "users": [{"username": "anna", "channels": [place]}],
            "bots": [{"username": BOT, "channels": [place]}],
        }
    )
    token = made["bots"][BOT]["token"]
    runtime = build_runtime(settings, threads=4)
    _register(runtime.database, settings, stand_in.url, token)
    stand_in.clear_received()
    office = Office(
        runtime=runtime,
        stand_in=stand_in,
        channel_id=made["channels"][place]["id"],
        bot_token=token,
        user_token=made["users"]["anna"]["token"],
        store=tmp_path / "store",
    )
    yield office
    office.runtime.database.dispose()


def _register(database: Database, settings: Settings, url: str, token: str) -> None:
    register_licence(
        LicenceOrder(LICENCE, url, TEAM, CHANNEL, token),
        client=MattermostClient(url, token),
        database=database,
        keyring=KeyRing([key.get_secret_value() for key in settings.encryption_keys]),
    )
