"""Workers that healthy and troubled licences share, with a steady load on the healthy ones."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from statistics import median
from typing import Any

from redis import Redis

from demo.redis_server import running_redis
from ireserve_mattermost.wake_ups import QUEUE
from models import Database, KeyRing, Licence
from tasks.licences.circuit import Circuits
from tests.stage.deployment import Deployment, HostProcess
from tests.stage.many_servers import BOT_USER_ID, CHANNEL_ID, ManyServers, running_servers
from tests.waiting import wait_until

WORKERS, THREADS = 2, 8
# 10 licences with 5 conversations each, and 20 messages a second in total.
HEALTHY = tuple(f"healthy-{number}" for number in range(10))
CONVERSATIONS = 50
PAUSE_S = 0.05
SERVICE_S = 0.005
# The installation's default timeouts, which other tests shorten.
DEFAULTS: dict[str, Any] = {
    "CONNECT_TIMEOUT_S": "3",
    "READ_TIMEOUT_S": "20",
    "WORKER_THREADS": f"{THREADS}",
}
# Longer than any message of a healthy licence may take.
TIMEOUT_S = 60
VISITOR = {"sender_name": "Jan", "sender_role": "visitor", "text": "Is it free in August?"}


@dataclass(frozen=True, slots=True)
class Delays:
    """Delays from just before `.delay()` until the request reached the server."""

    median_ms: float
    p95_ms: float
    most_ms: float

    @classmethod
    def of(cls, delays: Sequence[float]) -> Delays:
        """Return the figures of these delays."""
        ordered = sorted(delays)
        p95 = ordered[ceil(len(ordered) * 0.95) - 1]
        return cls(*(round(value, 1) for value in (median(ordered), p95, ordered[-1])))


@dataclass(slots=True)
class PacedLoad:
    """A load of one message every 50 ms, for each conversation in turn, by a thread."""

    host: HostProcess
    servers: ManyServers
    enqueued_at: dict[str, float] = field(default_factory=dict)
    _stopped: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Enqueue until the end of the block."""
        self._stopped.clear()
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield
        finally:
            self._stopped.set()
            thread.join()

    def between(self, since: float, until: float) -> Delays:
        """Wait for the messages enqueued between these times (epoch); return their delays."""
        wanted = {
            name: moment for name, moment in self.enqueued_at.items() if since <= moment < until
        }

        def arrived() -> dict[str, float] | None:
            found = {name: moment for _, name, moment in self.servers.arrivals() if name in wanted}
            return found if len(found) == len(wanted) else None

        found = wait_until(arrived, timeout_s=TIMEOUT_S, poll_s=0.5, what="healthy messages")
        return Delays.of([found[name] - moment * 1_000 for name, moment in wanted.items()])

    def enqueue_each(self) -> None:
        """Enqueue one message in each conversation, and wait for all of them."""
        began = time.time()
        for number in range(CONVERSATIONS):
            self._enqueue(number)
        self.between(began, time.time())

    def _run(self) -> None:
        due = time.monotonic()
        while not self._stopped.wait(max(0.0, due - time.monotonic())):
            self._enqueue(len(self.enqueued_at))
            due += PAUSE_S

    def _enqueue(self, number: int) -> None:
        conversation, name = number % CONVERSATIONS, f"m{number}"
        self.enqueued_at[name] = time.time()
        licence = HEALTHY[conversation % len(HEALTHY)]
        answer = self.host.delay(
            "post_reply", licence, f"c{conversation}", message_id=name, **VISITOR
        )
        assert answer["ok"], answer


@dataclass(frozen=True, slots=True)
class SharedWorkers:
    """Two workers, healthy licences with their load, and other licences with their own servers."""

    deployment: Deployment
    redis: Redis
    load: PacedLoad
    others: ManyServers
    host: HostProcess

    def enqueue(self, licences: Sequence[str], *, conversations: int) -> None:
        """Enqueue one message into each of that many new conversations of each licence, at once."""
        label = f"{time.time()}"
        answer = self.host.delay_all(
            [
                (licence, f"{label}-{number}", {"message_id": f"{number}", **VISITOR})
                for number in range(conversations)
                for licence in licences
            ]
        )
        assert answer["ok"], answer

    def is_circuit_open(self, licence_id: str) -> bool:
        """Return whether the circuit of the licence's server is open."""
        return Circuits(self.redis).states([licence_id])[licence_id].is_open

    def queue_length(self) -> int:
        """Return the number of Celery messages in the queue."""
        return int(self.redis.llen(QUEUE))


@contextmanager
def shared_workers(
    directory: Path, *, database_url: str, others: Sequence[str]
) -> Iterator[SharedWorkers]:
    """Yield running workers and beat, after one message in each conversation of the load."""
    with ExitStack() as stack:
        redis_url = stack.enter_context(running_redis(directory / "redis")).url
        healthy, burdened = (stack.enter_context(running_servers()) for _ in range(2))
        healthy.behave(list(HEALTHY), service_s=SERVICE_S)
        deployment = Deployment.create(
            directory, redis_url=redis_url, database_url=database_url, **DEFAULTS
        )
        stack.callback(deployment.stop, with_signal=9)
        urls = {name: healthy.url_of(name) for name in HEALTHY}
        urls |= {name: burdened.url_of(name) for name in others}
        _register(urls, deployment)
        deployment.start("beat")
        deployment.start_workers(WORKERS)
        load = PacedLoad(deployment.start_host(), healthy)
        load.enqueue_each()
        redis = stack.enter_context(Redis.from_url(redis_url))
        yield SharedWorkers(deployment, redis, load, burdened, deployment.start_host())


def _register(urls: dict[str, str], deployment: Deployment) -> None:
    """Store the licences without checking them on a server."""
    url = deployment.environment["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:")
    database = Database(url)
    token = KeyRing([deployment.environment["ENCRYPTION_KEYS"]]).encrypt("t" * 26)
    with database.transaction() as session:
        session.add_all(_licence(name, url, token) for name, url in urls.items())
    database.dispose()


def _licence(licence_id: str, server_url: str, token: str) -> Licence:
    values: dict[str, Any] = dict.fromkeys(("team_name", "default_channel_name"), "support")
    return Licence(
        id=licence_id,
        server_url=server_url,
        team_id="t" * 26,
        default_channel_id=CHANNEL_ID,
        bot_user_id=BOT_USER_ID,
        bot_username="ireserve",
        bot_token_encrypted=token,
        max_post_size=16_383,
        max_file_size_bytes=1,
        **values,
    )
