"""Choose which tests run, and in which order."""

from __future__ import annotations

import gc
import heapq
import os
from collections.abc import Iterator, Sequence

import pytest

# The folders of tests that mostly wait, of tests that mostly compute, and of quick tests.
WAITING, BUSY, QUICK = "tests/acceptance/", ("tests/contract/", "tests/integration/"), "tests/unit/"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect tests of the full load, and mix waiting tests with computing tests.

    Tests that measure time come last: each waits until no other test runs, and few run by then.
    """
    if not config.getoption("--full-load"):
        left_out = [item for item in items if _needs_full_load(item)]
        items[:] = [item for item in items if not _needs_full_load(item)]
        config.hook.pytest_deselected(items=left_out)
    if "PYTEST_XDIST_WORKER" in os.environ:
        items[:] = _mixed(items)
    items.sort(key=measures_time)


def pytest_collection_finish() -> None:
    """Exclude the collected tests from garbage collection, since they stay until the end."""
    gc.freeze()


def _mixed(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Spread the waiting tests evenly over the computing ones; quick tests come last."""
    waiting = [item for item in items if item.nodeid.startswith(WAITING)]
    busy = [item for item in items if item.nodeid.startswith(BUSY)]
    quick = [item for item in items if item.nodeid.startswith(QUICK)]
    taken = {item.nodeid for item in (*waiting, *busy, *quick)}
    others = [item for item in items if item.nodeid not in taken]
    mixed = heapq.merge(_placed(waiting), _placed(busy), key=lambda placed: placed[0])
    return [*others, *(item for _, item in mixed), *quick]


def _placed(items: Sequence[pytest.Item]) -> Iterator[tuple[float, pytest.Item]]:
    """Pair each test with its place in the order, from 0 to 1."""
    return ((number / len(items), item) for number, item in enumerate(items))


def _needs_full_load(item: pytest.Item) -> bool:
    if item.get_closest_marker("full_load"):
        return True
    arguments = (
        item.callspec.params
        if isinstance(item, pytest.Function) and hasattr(item, "callspec")
        else {}
    )
    is_postgresql = arguments.get("database_url") == "postgresql"
    return is_postgresql and item.get_closest_marker("one_database") is not None


def measures_time(item: pytest.Item) -> bool:
    """Return whether the test must run alone on the machine."""
    return item.get_closest_marker("measures_time") is not None
