"""Decide how many tests run in parallel, which share a worker, and which run alone."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

from tests.selection import measures_time

# The tests of each group run in one worker, in order. The browser tests share one demo and switch
# its server off. Each block of the docs needs the blocks before it. The tests of the environment
# share an environment and the tests of the packages share wheels, which take seconds to make.
TOGETHER = (
    "tests/browser/",
    "tests/acceptance/test_pages.py::",
    "tests/integration/test_environment.py::",
    "tests/integration/test_packages.py::",
)


class Scheduling(LoadScopeScheduling):  # type: ignore[misc] # xdist has no types
    """A scheduler that assigns tests one by one, but a whole group of tests to one worker.

    xdist's own marks for `--dist loadgroup` have no effect with pytest 9.2. xdist writes the group
    into an attribute of the test, which pytest no longer reads.
    """

    def mark_test_complete(
        self, node: WorkerController, item_index: int, duration: float = 0
    ) -> None:
        """Remove a finished group, since xdist counts all assigned groups at each event."""
        super().mark_test_complete(node, item_index, duration)
        assigned = self.assigned_work[node]
        scope = self._split_scope(self.registered_collections[node][item_index])
        if all(assigned[scope].values()):
            del assigned[scope]

    def _split_scope(self, nodeid: str) -> str:
        return next((group for group in TOGETHER if nodeid.startswith(group)), nodeid)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return how many tests run at once: six for two processors, and at most eight.

    A test mostly waits for a process to start or a lock to expire. With --full-load, a test keeps
    the machine busy by itself.
    """
    if config.getoption("--full-load"):
        return 2
    return min(3 * (os.cpu_count() or 1), 8)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """Let xdist use this scheduler."""
    return Scheduling(config, log)


@pytest.fixture(autouse=True)
def machine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Reserve the machine for a test that measures time; other tests share it."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        yield
        return
    # All workers use the same file: each worker's own folder is inside the folder of the run.
    with (tmp_path_factory.getbasetemp().parent / "machine.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX if measures_time(request.node) else fcntl.LOCK_SH)
        yield
