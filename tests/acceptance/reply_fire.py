"""A fire on the way back: replies come in, something dies, and all are recorded within a minute."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.acceptance.figures import Delays, Figures
from tests.acceptance.fire import SETTLE_S
from tests.acceptance.load import LOOK_EVERY_S, Size
from tests.acceptance.promises import BrokenPromiseError
from tests.acceptance.site import running_site
from tests.acceptance.supervisor import Supervisor
from tests.acceptance.team import Team
from tests.waiting import wait_until

# So rarely that nothing but the webhook and the sweep can have done it.
NEVER_S, OFTEN_S = 86_400, 5
FILE_BYTES = 300_000
# Longer than the deployment waits for an answer.
SLOW_S = 20


@dataclass(slots=True)
class ReplyScene:
    """A fire that burns: the team, what runs, and how many replies there are to be."""

    team: Team
    supervisor: Supervisor
    replies: int


@dataclass(frozen=True, slots=True)
class ReplyFire:
    """What burns while the team replies, on which database, and how often catch-up looks."""

    name: str
    fault: Callable[[ReplyScene], None]
    database: str = "sqlite"
    catch_up_s: int = NEVER_S

    def __str__(self) -> str:
        """Return how a test's name tells it."""
        return f"{self.name}-{self.database}"

    def burn(self, directory: Path, *, database_url: str, size: Size) -> Figures:
        """Run it from the first process to the last, and return what was measured.

        Raises:
            BrokenPromiseError: a reply is not recorded, or not with its files.
        """
        with running_site(
            directory,
            database_url=database_url,
            stop_with=signal.SIGKILL,
            CATCH_UP_INTERVAL_S=str(self.catch_up_s),
        ) as site:
            scene = ReplyScene(Team(site), Supervisor(site.deployment), size.conversations)
            with scene.supervisor.watching(workers=1):
                scene.team.begin()
                self.fault(scene)
                began = time.monotonic()
                _wait_until_recorded(scene.team)
            return self._figures(scene, settled_s=time.monotonic() - began)

    def _figures(self, scene: ReplyScene, *, settled_s: float) -> Figures:
        return Figures(
            fire=self.name,
            database=self.database,
            messages=len(scene.team.said),
            twice=0,
            faults=1,
            restarts=scene.supervisor.restarts,
            failed=0,
            settled_s=round(settled_s, 2),
            delays=Delays.of(scene.team.delays_s()),
        )


def _wait_until_recorded(team: Team) -> None:
    deadline = time.monotonic() + SETTLE_S
    while (missing := len(team.said) - team.count_recorded()) > 0:
        if time.monotonic() > deadline:
            raise BrokenPromiseError(f"left behind: {missing} of {len(team.said)} replies")
        time.sleep(LOOK_EVERY_S)
    if team.recorded() != team.said:
        raise BrokenPromiseError("not the replies, with their files, that were written")


def kill_web_between_insert_and_wake(scene: ReplyScene) -> None:
    """Kill the web process when it has written replies down and could wake nobody for them.

    Redis hangs meanwhile. It has never answered this web process, and before its first answer a
    connection sends no command; so no wake-up lies in a buffer either.
    """
    team, redis = scene.team, scene.team.site.redis
    web = team.start_web()
    assert redis.process is not None
    redis.process.send_signal(signal.SIGSTOP)
    team.say(5)
    wait_until(lambda: team.count_received() == 5, what="five replies in the inbox")
    web.kill()
    redis.process.send_signal(signal.SIGCONT)


def kill_worker_while_it_fetches(scene: ReplyScene) -> None:
    """Kill the worker when it has asked for a reply's file and does not have it yet."""
    team, content = scene.team, os.urandom(FILE_BYTES)
    team.start_web()
    file_id = team.upload(content)
    stand_in = team.site.stand_in
    stand_in.set_fault("slow", scope="files", times=1, seconds=SLOW_S)
    team.say_with_file(file_id, content)
    wait_until(
        lambda: stand_in.received(method="GET", path=f"/files/{file_id}"), what="the file's fetch"
    )
    scene.supervisor.kill_all_workers()


def keep_redis_down(scene: ReplyScene) -> None:
    """Keep Redis down for as long as replies come in; each webhook is answered all the same."""
    team, redis = scene.team, scene.team.site.redis
    team.start_web()
    redis.stop(with_signal=signal.SIGKILL)
    team.say(scene.replies)
    wait_until(
        lambda: team.count_received() == scene.replies,
        timeout_s=30,
        what="all replies in the inbox",
    )
    answers = {call.status for call in team.site.stand_in.webhook_calls()}
    assert answers == {200}, answers
    redis.start()


def kill_web_and_worker(scene: ReplyScene) -> None:
    """Kill the web process and the worker while replies come in; catch-up brings the rest."""
    team = scene.team
    web = team.start_web()
    with ThreadPoolExecutor(1) as background:
        saying = background.submit(team.say, 5 * scene.replies)
        wait_until(lambda: team.count_recorded() > 10, timeout_s=30, what="some replies")
        scene.supervisor.kill_all_workers()
        web.kill()
        saying.result()
