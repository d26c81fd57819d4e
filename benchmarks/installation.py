"""Run our processes, which post to the post server, and enqueue their load."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.post_server import (
    BOT_TOKEN,
    BOT_USER_ID,
    CHANNEL_ID,
    PostServer,
    running_post_server,
)
from benchmarks.producer import Producer, producing
from models import Database, KeyRing, Licence
from models.migrations import upgrade
from tests.stage.deployment import Deployment
from tests.waiting import wait_until

# A licence never gets more than half of a worker's threads, and a busy one soon only its share.
# With eight licences no thread is idle for that reason.
LICENCES = tuple(f"L{number}" for number in range(1, 9))
TIMEOUT_S = 120
TEXT = "Is the house by the lake free in the first two weeks of August? We are four."


@dataclass(frozen=True, slots=True)
class Installation:
    """The processes, the server that they post to, and the producer that enqueues."""

    deployment: Deployment
    server: PostServer
    producer: Producer

    def enqueue(self, *, conversations: int, messages: int, label: str) -> None:
        """Enqueue this number of messages in each conversation, in turn, under a ``label``."""
        self.producer.delay_all(
            [
                reply(f"{label}-{conversation}", str(message), licence=conversation % len(LICENCES))
                for message in range(messages)
                for conversation in range(conversations)
            ]
        )

    def enqueue_for(self, licences: Sequence[str], *, label: str) -> None:
        """Enqueue one message of each licence, in its own conversation."""
        task, (_, conversation), message = reply(label, "0", licence=0)
        self.producer.delay_all([(task, (each, conversation), message) for each in licences])

    def wait_for(self, posts: int) -> float:
        """Wait for this number of posts at the server; return the seconds from first to last."""
        wait_until(
            lambda: self.server.taken().count >= posts, timeout_s=TIMEOUT_S, what=f"{posts} posts"
        )
        taken = self.server.taken()
        return taken.last_s - taken.first_s


@contextmanager
def running_installation(
    directory: Path, *, redis_url: str, database_url: str, threads: int, service_ms: float = 0
) -> Iterator[Installation]:
    """Yield an installation with its licences and without a worker; stop all at the end."""
    directory.mkdir(exist_ok=True)
    with ExitStack() as stack:
        deployment = Deployment.create(directory, redis_url=redis_url, database_url=database_url)
        deployment.environment["WORKER_THREADS"] = str(threads)
        # Compile the code once, as for an installed package, and not in each process.
        deployment.environment.pop("PYTHONDONTWRITEBYTECODE", None)
        stack.callback(deployment.stop)
        server = stack.enter_context(running_post_server(service_ms=service_ms))
        _prepare(database_url, deployment.environment["ENCRYPTION_KEYS"], server.url)
        environment = {**os.environ, "REDIS_URL": redis_url}
        yield Installation(deployment, server, stack.enter_context(producing(environment)))


def reply(conversation: str, message: str, *, licence: int) -> tuple[str, tuple[str, str], Any]:
    """Return the call that sends a visitor's message."""
    where = (LICENCES[licence], conversation)
    text = {"sender_name": "Jan de Vries", "sender_role": "visitor", "text": TEXT}
    return "ours.post_reply", where, {"message_id": message, **text}


def add_licences(installation: Installation, names: Sequence[str]) -> None:
    """Store more licences on the same server."""
    environment = installation.deployment.environment
    keys, url = environment["ENCRYPTION_KEYS"], environment["DATABASE_URL"]
    database = Database(url)
    _store(database, names, keys, installation.server.url)
    database.dispose()


def _prepare(database_url: str, key: str, server_url: str) -> None:
    """Make the tables, and store the licences without checking them on the server."""
    database = Database(database_url)
    upgrade(database)
    _store(database, LICENCES, key, server_url)
    database.dispose()


def _store(database: Database, names: Sequence[str], key: str, server_url: str) -> None:
    token = KeyRing([key]).encrypt(BOT_TOKEN)
    with database.transaction() as session:
        for licence_id in names:
            session.merge(_licence(licence_id, server_url, token))


def _licence(licence_id: str, server_url: str, token: str) -> Licence:
    return Licence(
        id=licence_id,
        server_url=server_url,
        team_id="t" * 26,
        team_name="support",
        default_channel_id=CHANNEL_ID,
        default_channel_name="webchat",
        bot_user_id=BOT_USER_ID,
        bot_username="ireserve",
        bot_token_encrypted=token,
        max_post_size=16_383,
        max_file_size_bytes=1,
    )
