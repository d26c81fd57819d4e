"""A fault test: a load, a fault in the middle of it, and what must be true within a minute."""

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
from tests.acceptance.promises import BrokenPromiseError, States, assert_kept, untold
from tests.stage.deployed import DeployedStage, bot_of, running_stage
from tests.stage.deployment import HostProcess
from tests.stage.host_queue import published
from tests.stage.supervisor import Supervisor
from tests.waiting import wait_until

WORKERS = 2
# Load and faults are drawn with one seed, so that a run can be repeated.
SEED = 7
# After the last fault, and once all is enqueued, everything is settled within this time without
# help: a killed worker's lock lasts 30 s, and the sweep comes every 5 s.
SETTLE_S = 60.0
# A worker that dies as it tells i-Reserve hides that from the others for 30 s.
TELL_S = 45.0
IRESERVE = "ireserve"
# After the database or Redis has come back.
GO_ON_S = 10.0
# Faults come while work is under way: when these shares of the load have reached the server.
EARLIEST, LATEST = 0.1, 0.5


@dataclass(slots=True)
class FaultRun:
    """A fault test under way: what a fault may do to it, and when."""

    stage: DeployedStage
    host: HostProcess
    load: Load
    supervisor: Supervisor
    rng: random.Random
    faults: int = 0

    def moments(self, count: int) -> Iterator[int]:
        """Yield at ``count`` random moments of the load; each is the moment of a fault."""
        for share in sorted(self.rng.uniform(EARLIEST, LATEST) for _ in range(count)):
            self.load.wait_until_arrived(share)
            self.load.wait_until_under_way()
            self.faults += 1
            yield self.faults

    def assert_goes_on(self) -> None:
        """Posts are made again within 10 s of the cure, by the same processes."""
        before, restarts = len(self.stage.accepted()), self.supervisor.restarts
        wait_until(
            lambda: len(self.stage.accepted()) > before,
            timeout_s=GO_ON_S,
            poll_s=LOOK_EVERY_S,
            what="a post after the cure",
        )
        assert self.supervisor.restarts == restarts, "a process ended"

    def stay_away(self, shortest_s: float, longest_s: float) -> None:
        """Let whatever was stopped stay away for a random time."""
        time.sleep(self.rng.uniform(shortest_s, longest_s))


@dataclass(frozen=True, slots=True)
class FaultTest:
    """A fault, what is under load meanwhile, and on which database.

    ``may_fail`` is how many messages may end as failed, by the rule that nothing is tried again.
    ``licences`` are those whose messages must arrive. ``patch`` makes it the test of a build that
    is broken on purpose. ``redis_environment`` is for Redis alone.
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
        """Return how a test's name tells it."""
        return f"{self.name}-{self.database}"

    def run(self, directory: Path, *, database_url: str, size: Size) -> Figures:
        """Run it from the first process to the last, and return what was measured.

        Raises:
            BrokenPromiseError: a promise was not kept.
            AssertionError: the deployment does not even work without a fault.
        """
        with self._started(directory, database_url=database_url, size=size) as run:
            with run.load.coming_in(run.host):
                self.fault(run)
            began = time.monotonic()
            _wait_until_settled(run.load, self.licences)
            _wait_until_cards_are_right(run.load, self.licences, until=began + SETTLE_S)
            settled_s = time.monotonic() - began
            _wait_until_nothing_is_under_way(run.stage, self.licences)
            return self._figures(run, settled_s=settled_s)

    @contextmanager
    def _started(self, directory: Path, *, database_url: str, size: Size) -> Iterator[FaultRun]:
        """Yield everything running, a load that has not begun, and no fault yet."""
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
        """Return what makes a deployment run the code of this test: the project's, or a copy."""
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
    """Wait until i-Reserve was told of each failure and of each thread."""
    ends_at = time.monotonic() + TELL_S
    while left := untold(conversations, _notices(stage), states=states):
        if time.monotonic() > ends_at:
            raise BrokenPromiseError(f"i-Reserve was not told: {sorted(left)[:5]}")
        time.sleep(LOOK_EVERY_S)


def _notices(stage: DeployedStage) -> list[dict[str, Any]]:
    """Return what is in i-Reserve's queue, which no worker of this deployment reads."""
    return [message.keywords for message in published(stage.redis.url, IRESERVE)]


def _delays_s(load: Load, posts: Iterable[Received], conversations: Container[str]) -> list[float]:
    """Return how long each message took from `.delay()` to its first post."""
    found: dict[tuple[str, str], float] = {}
    for post in posts:
        mark = (post.props or {}).get("ireserve", {})
        message = mark.get("conversation_id"), mark.get("message_id")
        if message in load.enqueued_at_ms and message[0] in conversations:
            found.setdefault(message, (post.time_ms - load.enqueued_at_ms[message]) / 1_000)
    return list(found.values())


def _assert_works(stage: DeployedStage, host: HostProcess) -> None:
    """A plain message of each licence is posted: what comes after this is the fault's doing."""
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
    """Enqueue a notification, once however often it is called.

    While all processes start, Redis may answer later than a call waits. What a call left behind is
    then unknown, so the next one names the same notification.
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
    """Wait until each root shows the question, and how its conversation stands."""
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
    """Wait for posts that the server is still at work on: what failed must not appear later."""
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
