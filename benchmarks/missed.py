"""Make a channel with thousands of the team's replies for which no webhook came."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import delete, text

from demo.supervisor import supervised
from demo.target import Target, running_target
from models import CatchUpCursor, Conversation, Reply
from models.keyring import new_key
from models.migrations import upgrade
from settings import Settings
from tasks.licences.registration import Registration
from tasks.mattermost import MattermostClient, Post
from tasks.runtime import Runtime, build_runtime
from tests.stage.registering import register

REPLIES = 5_000
THREADS = 100
LICENCE = "L1"
TEXT = "We have just looked: the house is free in the first two weeks of August, from Saturday on."


@dataclass(frozen=True, slots=True)
class Channel:
    """The channel, the token of the bot in it, and its threads' root posts."""

    url: str
    team: str
    name: str
    bot_token: str
    roots: tuple[Post, ...]

    @property
    def id(self) -> str:
        """The channel's id."""
        return self.roots[0].channel_id


@contextmanager
def missed_channel(*, replies: int = REPLIES) -> Iterator[Channel]:
    """Yield the channel on a stand-in server, which runs as a process."""
    with supervised() as supervisor, running_target(supervisor) as target:
        if not target.is_stand_in:
            raise RuntimeError("this would fill a real server: unset MATTERMOST_URL and the others")
        yield _filled(target, replies)


def _filled(target: Target, replies: int) -> Channel:
    place = target.public
    bot = MattermostClient(target.url, place.token)
    member = MattermostClient(target.url, target.member_token or "")
    channel = bot.get_channel_by_name(team=target.team, channel=place.channel)
    roots = tuple(
        bot.create_post(channel_id=channel.id, message=f"Conversation {number}")
        for number in range(THREADS)
    )
    # Reply in the threads in turn, as several members who answer at the same time do.
    for root in itertools.islice(itertools.cycle(roots), replies):
        member.create_post(channel_id=channel.id, root_id=root.id, message=TEXT)
    return Channel(target.url, target.team, place.channel, place.token, roots)


def installation(channel: Channel, *, database_url: str, redis_url: str) -> Runtime:
    """Return a worker's runtime, with a conversation for each thread of the channel."""
    key = new_key()
    settings = Settings(database_url=database_url, redis_url=redis_url, encryption_keys=key)
    runtime = build_runtime(settings)
    upgrade(runtime.database)
    register(
        Registration(LICENCE, channel.url, channel.team, channel.name, channel.bot_token),
        settings=settings,
        database=runtime.database,
    )
    with runtime.database.transaction() as session:
        session.add_all(
            Conversation(
                licence_id=LICENCE,
                conversation_id=f"c{number}",
                channel_id=root.channel_id,
                root_post_id=root.id,
            )
            for number, root in enumerate(channel.roots)
        )
    return runtime


def forget(runtime: Runtime) -> None:
    """Empty the inbox and reset catch-up to the beginning."""
    with runtime.database.transaction() as session:
        session.execute(delete(CatchUpCursor))
        if session.get_bind().dialect.name == "postgresql":
            # Rows that are only deleted stay in the indexes and slow down the next rows.
            session.execute(text("TRUNCATE replies CASCADE"))
        else:
            session.execute(delete(Reply))
