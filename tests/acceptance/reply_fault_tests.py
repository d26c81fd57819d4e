"""Run a fault test of replies: a fault while the team replies; all are recorded in a minute."""

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

# With NEVER_S, only the webhook and the sweep can have recorded a reply.
NEVER_S, OFTEN_S = 86_400, 5
REPLY_QUEUE = "ireserve-replies"


@dataclass(slots=True)
class ReplyFaultRun:
    """A running fault test: the thread, the processes, and the number of replies to write."""

    thread: DeployedThread
    supervisor: Supervisor
    replies: int


@dataclass(frozen=True, slots=True)
class ReplyFaultTest:
    """A fault while the team replies, the kind of database, and the interval of catch-up.

    ``pause_s`` is the licence's pause. ``check`` checks at the end what i-Reserve was told.
    """

    name: str
    fault: Callable[[ReplyFaultRun], None]
    database: str = "sqlite"
    catch_up_s: int = NEVER_S
    pause_s: int = 0
    check: Callable[[ReplyFaultRun], None] | None = None

    def __str__(self) -> str:
        """Return the name and the database, for the test's id."""
        return f"{self.name}-{self.database}"

    def run(self, directory: Path, *, database_url: str, size: Size) -> Figures:
        """Start all processes, run the fault test, and return its figures.

        Raises:
            BrokenPromiseError: a reply is not recorded with all its files.
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
