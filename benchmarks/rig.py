"""Run the rig of the outbound benchmarks: a stand-in, a worker of each kind, a producer."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import gethostname
from tempfile import TemporaryDirectory
from typing import Any

from celery import Celery

from benchmarks.producer import ROOT, Producer, producing
from benchmarks.servers import databases
from demo.mattermost import StandIn, running_server
from demo.mattermost.received import Received
from demo.redis_server import running_redis
from tasks.app import app
from tests.stage.deployment import Deployment
from tests.waiting import wait_until

THREADS = 8
OUR_QUEUE = "mattermost"
# A licence never gets more than half of a worker's threads; two licences can keep all busy.
LICENCES = ("L1", "L2")
TIMEOUT_S = 120
YARDSTICK_WORKER = (
    "worker", "--pool", "threads", "--loglevel", "INFO", "--without-gossip", "--without-mingle",
)  # fmt: skip


# A task's name, its arguments and its keyword arguments.
Call = tuple[str, tuple[Any, ...], Any]


@dataclass(slots=True)
class Rig:
    """All running parts, and the root post of each conversation."""

    deployment: Deployment
    stand_in: StandIn
    producer: Producer
    control: Celery
    naive_control: Celery
    tokens: dict[str, str]
    channels: dict[str, str]
    roots: dict[str, str]

    def our_call(self, conversation: int, number: str) -> Call:
        """Return the call that sends this message by our task."""
        licence, name = licence_of(conversation), f"c{conversation}"
        return ("ours.post_reply", (licence, name), {**_text(number), "sender_role": "visitor"})

    def naive_call(self, conversation: int, number: str) -> Call:
        """Return the call that sends this message by the naive task."""
        licence, name = licence_of(conversation), f"c{conversation}"
        where = (self.stand_in.url, self.tokens[licence], self.channels[licence], self.roots[name])
        return ("naive.post_reply", where, {**_text(number), "conversation_id": name})

    def bare_call(self, conversation: int, number: str) -> Call:
        """Return the call that sends this message by the naive task with bare calls."""
        _, where, message = self.naive_call(conversation, number)
        return ("bare_calls.post_reply", where, message)

    def posts(self) -> list[Received]:
        """Return the posts made since the record was cleared, in order."""
        return [
            entry
            for entry in self.stand_in.received(method="POST", path="/posts")
            if entry.outcome.startswith("201") and not entry.duplicate
        ]

    def posts_begun(self) -> list[Received]:
        """Return the requests for posts since the record was cleared, answered or not."""
        return self.stand_in.received(method="POST", path="/posts")

    def pause(self, queue: str) -> None:
        """Stop the queue's worker from taking tasks."""
        answers = self._control(queue).cancel_consumer(
            queue, destination=[_worker_of(queue)], reply=True, timeout=5
        )
        assert answers, f"no worker of {queue} answered"

    def resume(self, queue: str) -> None:
        """Let the queue's worker take tasks again."""
        self._control(queue).add_consumer(queue, destination=[_worker_of(queue)])

    def _control(self, queue: str) -> Any:
        return (self.control if queue == OUR_QUEUE else self.naive_control).control

    def wait_for(self, count: int) -> list[Received]:
        """Wait for ``count`` posts; return them."""
        wait_until(
            lambda: self.stand_in.backend.record.count() >= count,
            timeout_s=TIMEOUT_S,
            what=f"{count} requests",
        )
        wait_until(lambda: len(self.posts()) >= count, timeout_s=TIMEOUT_S, what=f"{count} posts")
        return self.posts()


def controlling(redis_url: str) -> Celery:
    """Return a Celery application that can control our workers, by their own exchange."""
    control = Celery(broker=redis_url)
    control.conf.control_exchange = app.conf.control_exchange
    return control


def _worker_of(queue: str) -> str:
    return f"{'celery' if queue == OUR_QUEUE else 'naive'}@{gethostname()}"


def licence_of(conversation: int) -> str:
    """Return the licence of a conversation."""
    return LICENCES[conversation % len(LICENCES)]


def _text(number: str) -> dict[str, str]:
    text = f"Is the house by the lake free in August? We are {number}."
    return {"message_id": number, "sender_name": "Jan de Vries", "text": text}


def rigs(*, conversations: int) -> Iterator[tuple[str, Rig]]:
    """Yield the kind of database and a running rig on it, for each kind in turn."""
    with TemporaryDirectory() as name, databases(Path(name)) as addresses:
        for kind, url in addresses.items():
            place = Path(name) / f"rig-{kind}"
            place.mkdir()
            with (
                running_redis(place / "redis") as redis,
                running_rig(
                    place, redis_url=redis.url, database_url=url, conversations=conversations
                ) as rig,
            ):
                yield kind, rig


@contextmanager
def running_rig(
    directory: Path, *, redis_url: str, database_url: str, conversations: int
) -> Iterator[Rig]:
    """Yield a rig: a stand-in with two licences, a worker of each kind, and all root posts."""
    with ExitStack() as stack:
        stand_in = stack.enter_context(running_server())
        deployment = Deployment.create(directory, redis_url=redis_url, database_url=database_url)
        deployment.environment["WORKER_THREADS"] = str(THREADS)
        stack.callback(deployment.stop)
        assert deployment.command("db", "upgrade").returncode == 0
        controls = controlling(redis_url), Celery(broker=redis_url)
        producer = stack.enter_context(producing(deployment.environment))
        rig = Rig(deployment, stand_in, producer, *controls, {}, {}, {})
        for licence in LICENCES:
            _add_licence(rig, licence)
        deployment.start_worker()
        for module in ("naive", "bare_calls"):
            stack.enter_context(yardstick_worker(deployment, module))
        _make_roots(rig, conversations)
        yield rig


def _add_licence(rig: Rig, licence: str) -> None:
    place = f"team-{licence.lower()}/webchat"
    team, channel = place.split("/")
    bot = f"bot-{licence.lower()}"
    made = rig.stand_in.setup(
        {
            "teams": [{"name": team}],
            "channels": [{"team": team, "name": channel}],
            "bots": [{"username": bot, "channels": [place]}],
        }
    )
    rig.tokens[licence] = made["bots"][bot]["token"]
    rig.channels[licence] = made["channels"][place]["id"]
    done = rig.deployment.command(
        "licence", "add", licence, "--url", rig.stand_in.url, "--team", team,
        "--channel", channel, "--token-file", "-", stdin=rig.tokens[licence],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@contextmanager
def yardstick_worker(deployment: Deployment, module: str, *include: str) -> Iterator[int]:
    """Yield the process id of a worker with the tasks of this module, which loads more modules."""
    log = deployment.directory / f"{module}.log"
    command = ["-m", "celery", "--app", f"benchmarks.{module}", *YARDSTICK_WORKER]
    command += ["--concurrency", str(THREADS), "--hostname", f"{module}@%h"]
    command += [f"--include=benchmarks.{name}" for name in include]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT, env=deployment.environment, stdout=output, stderr=output,
        )  # fmt: skip
        try:
            wait_until(
                lambda: " ready." in log.read_text(), timeout_s=60, what=f"{module}'s worker"
            )
            yield process.pid
        finally:
            process.terminate()
            process.wait(60)


def _make_roots(rig: Rig, conversations: int) -> None:
    rig.producer.delay_all(
        [
            ("ours.create_root_post", (licence_of(n), f"c{n}"), {"visitor_name": "Jan de Vries"})
            for n in range(conversations)
        ]
    )
    for post in rig.wait_for(conversations):
        assert post.props is not None
        rig.roots[post.props["ireserve"]["conversation_id"]] = post.post_id
    rig.stand_in.clear_received()


def settle() -> None:
    """Wait until the work after one half is over, before the next half."""
    time.sleep(0.5)
