"""Which tests run side by side, which stay together, and which have the machine for themselves."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

from tests.selection import measures_time

# The browser's tests share one demo, whose server they switch off; each block of the docs is run
# after all that stand before it. Every other test goes to whichever worker is free.
TOGETHER = ("tests/browser/", "tests/acceptance/test_pages.py::")


class Scheduling(LoadScopeScheduling):  # type: ignore[misc] # xdist has no types
    """Hands out tests one by one, those that belong together as one.

    xdist's own way to say that, a mark for `--dist loadgroup`, does nothing with pytest 9.2: it
    writes the group into an attribute of the test that pytest reads no more.
    """

    def mark_test_complete(
        self, node: WorkerController, item_index: int, duration: float = 0
    ) -> None:
        """Forget what is done: xdist counts through all of it at each event."""
        super().mark_test_complete(node, item_index, duration)
        assigned = self.assigned_work[node]
        scope = self._split_scope(self.registered_collections[node][item_index])
        if all(assigned[scope].values()):
            del assigned[scope]

    def _split_scope(self, nodeid: str) -> str:
        return next((group for group in TOGETHER if nodeid.startswith(group)), nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """Let xdist hand the tests out in this way."""
    return Scheduling(config, log)


@pytest.fixture(autouse=True)
def machine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """The machine: for itself for a test that measures time, else shared with other workers."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        yield
        return
    # Each worker's own folder stands in the run's.
    with (tmp_path_factory.getbasetemp().parent / "machine.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX if measures_time(request.node) else fcntl.LOCK_SH)
        yield
