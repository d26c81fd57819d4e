"""Run a fault test: a load, a fault during it, and a check of the promises within a minute."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from demo.mattermost.received import Received
from tests.acceptance.broken_build import Patch, assert_is_what_runs
from tests.acceptance.figures import Delays, Figures
from tests.acceptance.load import (
    FILE,
    HOST_PAUSE_S,
    HOST_RETRIES_FOR_S,
    LICENCES,
    LOOK_EVERY_S,
    Load,
    Size,
    is_closed,
)
from tests.acceptance.promises import BrokenPromiseError, States, assert_kept, missing_notices
from tests.stage.deployed import DeployedStage, bot_of, running_stage
from tests.stage.deployment import HostProcess
from tests.stage.supervisor import Supervisor
from tests.stage.task_messages import published
from tests.waiting import wait_until

WORKERS = 2
# One seed for the random load and the faults makes a run repeatable.
SEED = 7
# After the last fault, when all is enqueued, every message must end within this time without help.
# A killed worker's lock lasts 30 s, and the sweep runs every 5 s.
SETTLE_S = 60.0
# If a worker dies while it tells i-Reserve, other workers do not see that for 30 s.
OUTCOMES_WITHIN_S = 45.0
IRESERVE = "ireserve"
# The limit for the next post after the database or Redis has come back.
GO_ON_S = 10.0
# A fault comes when a random share of the load, between these two, has reached the server.
EARLIEST, LATEST = 0.1, 0.5


@dataclass(slots=True)
class FaultRun:
    """A running fault test, for a fault to act on."""

    stage: DeployedStage
    host: HostProcess
    load: Load
    supervisor: Supervisor
    rng: random.Random
    faults: int = 0

    def moments(self, count: int, *, hold: bool = False) -> Iterator[int]:
        """Yield the number of each fault, at ``count`` random times during the load.

        With ``hold`` the load waits for each of these times, so that a fault cannot come after it.
        """
        for share in sorted(self.rng.uniform(EARLIEST, LATEST) for _ in range(count)):
            if hold:
                self.load.hold_at(share)
            self.load.wait_until_arrived(share)
            self.load.go_on()
            self.load.wait_until_under_way()
            self.faults += 1
            yield self.faults

    @contextmanager
    def load_held(self) -> Iterator[None]:
        """Hold the load at a random share during the block: the rest meets what the block sets."""
        share = self.rng.uniform(EARLIEST, LATEST)
        self.load.hold_at(share)
        self.load.wait_until_arrived(share)
        self.faults += 1
        yield
        self.load.go_on()

    def assert_goes_on(self) -> None:
        """Assert that the same processes make posts again within 10 s of the cure."""
        before, restarts = len(self.stage.accepted()), self.supervisor.restarts
        wait_until(
            lambda: len(self.stage.accepted()) > before,
            timeout_s=GO_ON_S,
            poll_s=LOOK_EVERY_S,
            what="a post after the cure",
        )
        assert self.supervisor.restarts == restarts, "a process ended"

    def wait_during_outage(self, shortest_s: float, longest_s: float) -> None:
        """Wait for a random time while a server is stopped."""
        time.sleep(self.rng.uniform(shortest_s, longest_s))


@dataclass(frozen=True, slots=True)
class FaultTest:
    """A fault, the load during it, and the kind of database.

    ``may_fail`` is the number of messages that may fail, by the rule that nothing is tried again.
    ``licences`` are the licences whose messages must arrive. ``patch`` breaks the build on
    purpose. ``redis_environment`` is only for the Redis process.
    """

    name: str
    fault: Callable[[FaultRun], None]
    database: str = "sqlite"
    may_fail: int = 0
    file_every: int = 0
    licences: tuple[str, ...] = LICENCES
    patch: Patch | None = None
    redis_environment: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return the name and the database, for the test's id."""
        return f"{self.name}-{self.database}"

    def run(self, directory: Path, *, database_url: str, size: Size) -> Figures:
        """Start all processes, run the fault test, and return its figures.

        Raises:
            BrokenPromiseError: a promise was not kept.
            AssertionError: the deployment does not work even without a fault.
        """
        with self._started(directory, database_url=database_url, size=size) as run:
            with run.load.enqueueing(run.host):
                self.fault(run)
            began = time.monotonic()
            _wait_until_settled(run.load, self.licences)
            _wait_until_cards_are_right(run.load, self.licences, until=began + SETTLE_S)
            settled_s = time.monotonic() - began
            _wait_until_nothing_is_under_way(run.stage, self.licences)
            return self._figures(run, settled_s=settled_s)

    @contextmanager
    def _started(self, directory: Path, *, database_url: str, size: Size) -> Iterator[FaultRun]:
        """Yield a run with all processes started, before the load and the fault."""
        with running_stage(
            directory,
            database_url=database_url,
            licences=LICENCES,
            stop_with=signal.SIGKILL,
            redis_environment=self.redis_environment,
            OUTCOME_TASK="ireserve.record_outcome",
            REPLY_QUEUE=IRESERVE,
            **self._build(directory),
        ) as stage:
            stage.stand_in.set_fault("service_time", min_ms=1, max_ms=20, seed=SEED)
            (directory / "attachments" / FILE).write_text("a file")
            if self.patch is not None:
                assert_is_what_runs(stage.deployment.source, stage.deployment.environment)
            supervisor = Supervisor(stage.deployment)
            with supervisor.watching(workers=WORKERS):
                host = stage.deployment.start_host()
                _assert_works(stage, host)
                load = Load(stage, replace(size, file_every=self.file_every), random.Random(SEED))
                yield FaultRun(stage, host, load, supervisor, random.Random(f"{SEED} {self}"))

    def _build(self, directory: Path) -> dict[str, Any]:
        """Return the options for a deployment of this test's code: the project's, or a copy."""
        if self.patch is None:
            return {}
        source = self.patch.applied(directory / "source")
        return {"source": source, "PYTHONPATH": f"{source}:{source / 'client'}"}

    def _figures(self, run: FaultRun, *, settled_s: float) -> Figures:
        load, posts = run.load, run.stage.accepted()
        conversations = load.conversations(self.licences)
        states = {key: state for key, state in load.states().items() if key[0] in conversations}
        assert_kept(conversations, load.message_ids, posts=posts, states=states)
        _wait_until_told(run.stage, conversations, states)
        return Figures(
            fault_test=self.name,
            database=self.database,
            messages=len(states),
            twice=load.duplicates + load.redeliveries,
            faults=run.faults,
            restarts=run.supervisor.restarts,
            failed=Counter(states.values())["failed"],
            settled_s=round(settled_s, 2),
            delays=Delays.of(_delays_s(load, posts, conversations)),
        )


def _wait_until_told(stage: DeployedStage, conversations: Sequence[str], states: States) -> None:
    """Wait until i-Reserve was told of each failure and each thread."""
    ends_at = time.monotonic() + OUTCOMES_WITHIN_S
    while left := missing_notices(conversations, _notices(stage), states=states):
        if time.monotonic() > ends_at:
            raise BrokenPromiseError(f"i-Reserve was not told: {sorted(left)[:5]}")
        time.sleep(LOOK_EVERY_S)


def _notices(stage: DeployedStage) -> list[dict[str, Any]]:
    """Return the outcomes in i-Reserve's queue, which no worker of this deployment reads."""
    return [message.keywords for message in published(stage.redis.url, IRESERVE)]


def _delays_s(load: Load, posts: Iterable[Received], conversations: Container[str]) -> list[float]:
    """Return the seconds from `.delay()` to the first post of each message."""
    found: dict[tuple[str, str], float] = {}
    for post in posts:
        mark = (post.props or {}).get("ireserve", {})
        message = mark.get("conversation_id"), mark.get("message_id")
        if message in load.enqueued_at_ms and message[0] in conversations:
            found.setdefault(message, (post.time_ms - load.enqueued_at_ms[message]) / 1_000)
    return list(found.values())


def _assert_works(stage: DeployedStage, host: HostProcess) -> None:
    """Assert that a notification of each licence is posted, before any fault."""
    for licence_id in LICENCES:
        wait_until(
            partial(_says_up, host, licence_id),
            timeout_s=HOST_RETRIES_FOR_S,
            poll_s=HOST_PAUSE_S,
            what="a message that is enqueued",
        )
    wait_until(
        lambda: len(stage.accepted()) == len(LICENCES), timeout_s=30, what="a plain message of each"
    )


def _says_up(host: HostProcess, licence_id: str) -> bool:
    """Enqueue a notification; return whether that succeeded. Repeated calls enqueue it once.

    While all processes start, Redis may answer later than a call waits. It is then unknown whether
    the call enqueued the notification, so the next call uses the same id.
    """
    answer = host.delay(
        "send_notification", licence_id, notification_type="plain", notification_id="up", text="up"
    )
    if not answer["ok"] and answer["error"] != "kombu.exceptions.OperationalError":
        raise AssertionError(answer)
    return bool(answer["ok"])


def _wait_until_settled(load: Load, licences: Sequence[str]) -> None:
    total = len(load.conversations(licences)) * load.size.messages
    deadline = time.monotonic() + SETTLE_S
    while (left := total - load.count_final(licences)) > 0:
        if time.monotonic() > deadline:
            raise BrokenPromiseError(f"left behind: {left} messages after {SETTLE_S:.0f} s")
        time.sleep(LOOK_EVERY_S)


def _wait_until_cards_are_right(load: Load, licences: Sequence[str], *, until: float) -> None:
    """Wait until each card shows the question and the state of its conversation."""
    sign = "🟢" if load.is_answered() else "🟠"
    expected = {
        conversation: f"{'⚪' if is_closed(conversation) else sign} **Jan** · message 0"
        for conversation in load.conversations(licences)
    }
    while wrong := _wrong_lines(expected, load.first_lines()):
        if time.monotonic() > until:
            raise BrokenPromiseError(f"not what the card should say: {wrong[:5]}")
        time.sleep(LOOK_EVERY_S)


def _wrong_lines(expected: Mapping[str, str], seen: Mapping[str, str]) -> list[str]:
    return [
        f"{conversation}: {seen.get(conversation)!r} for {line!r}"
        for conversation, line in expected.items()
        if seen.get(conversation) != line
    ]


def _wait_until_nothing_is_under_way(stage: DeployedStage, licences: Sequence[str]) -> None:
    """Wait for unfinished posts of the server: a failed message must not appear later."""
    bots = [bot_of(licence_id) for licence_id in licences]
    wait_until(
        lambda: all(
            entry.outcome or entry.username not in bots
            for entry in stage.stand_in.received(method="POST", path="/posts")
        ),
        timeout_s=30,
        poll_s=LOOK_EVERY_S,
        what="a server that is done",
    )
