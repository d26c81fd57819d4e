"""A fault test of the way back: replies come in, a process dies, all are recorded in a minute."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import update

from models import Licence
from tests.acceptance.fault_tests import SETTLE_S
from tests.acceptance.figures import Delays, Figures
from tests.acceptance.load import LOOK_EVERY_S, Size
from tests.acceptance.promises import BrokenPromiseError
from tests.stage.deployed import running_stage
from tests.stage.deployed_thread import DeployedThread
from tests.stage.supervisor import Supervisor

# So rarely that nothing but the webhook and the sweep can have done it.
NEVER_S, OFTEN_S = 86_400, 5
REPLY_QUEUE = "ireserve-replies"


@dataclass(slots=True)
class ReplyFaultRun:
    """A fault test under way: the team, what runs, and how many replies there are to be."""

    thread: DeployedThread
    supervisor: Supervisor
    replies: int


@dataclass(frozen=True, slots=True)
class ReplyFaultTest:
    """A fault while the team replies, on which database, and how often catch-up looks.

    ``pause_s`` is the licence's pause; ``check`` looks at the end at what i-Reserve was told.
    """

    name: str
    fault: Callable[[ReplyFaultRun], None]
    database: str = "sqlite"
    catch_up_s: int = NEVER_S
    pause_s: int = 0
    check: Callable[[ReplyFaultRun], None] | None = None

    def __str__(self) -> str:
        """Return how a test's name tells it."""
        return f"{self.name}-{self.database}"

    def run(self, directory: Path, *, database_url: str, size: Size) -> Figures:
        """Run it from the first process to the last, and return what was measured.

        Raises:
            BrokenPromiseError: a reply is not recorded, or not with its files.
        """
        with running_stage(
            directory,
            database_url=database_url,
            stop_with=signal.SIGKILL,
            CATCH_UP_INTERVAL_S=str(self.catch_up_s),
            REPLY_TASK="ireserve.record_reply",
            REPLY_QUEUE=REPLY_QUEUE,
        ) as stage:
            with stage.database.transaction() as session:
                session.execute(update(Licence).values(reply_pause_s=self.pause_s))
            run = ReplyFaultRun(
                DeployedThread(stage), Supervisor(stage.deployment), size.conversations
            )
            with run.supervisor.watching(workers=1):
                run.thread.begin()
                self.fault(run)
                began = time.monotonic()
                _wait_until_recorded(run.thread)
                if self.check is not None:
                    self.check(run)
            return self._figures(run, settled_s=time.monotonic() - began)

    def _figures(self, run: ReplyFaultRun, *, settled_s: float) -> Figures:
        return Figures(
            fault_test=self.name,
            database=self.database,
            messages=len(run.thread.said),
            twice=0,
            faults=1,
            restarts=run.supervisor.restarts,
            failed=0,
            settled_s=round(settled_s, 2),
            delays=Delays.of(run.thread.delays_s()),
        )


def _wait_until_recorded(thread: DeployedThread) -> None:
    deadline = time.monotonic() + SETTLE_S
    while (missing := len(thread.said) - thread.count_recorded()) > 0:
        if time.monotonic() > deadline:
            raise BrokenPromiseError(f"left behind: {missing} of {len(thread.said)} replies")
        time.sleep(LOOK_EVERY_S)
    if thread.recorded() != thread.said:
        raise BrokenPromiseError("not the replies, with their files, that were written")
