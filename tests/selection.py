"""Which tests run in the usual load, and in which order."""

from __future__ import annotations

import heapq
import os
from collections.abc import Iterator, Sequence

import pytest

# Tests that mostly wait, and those that keep a processor busy while others wait.
WAITING, BUSY, QUICK = "tests/acceptance/", ("tests/contract/", "tests/integration/"), "tests/unit/"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what only the full load brings, and mix those that wait with those that work.

    Those that measure time come behind all others: then hardly another test is left to wait for.
    """
    if not config.getoption("--full-load"):
        left_out = [item for item in items if _needs_full_load(item)]
        items[:] = [item for item in items if not _needs_full_load(item)]
        config.hook.pytest_deselected(items=left_out)
    if "PYTEST_XDIST_WORKER" in os.environ:
        items[:] = _mixed(items)
    items.sort(key=measures_time)


def _mixed(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Spread the tests that wait evenly over those that work; the quick ones come after both."""
    waiting = [item for item in items if item.nodeid.startswith(WAITING)]
    busy = [item for item in items if item.nodeid.startswith(BUSY)]
    quick = [item for item in items if item.nodeid.startswith(QUICK)]
    taken = {item.nodeid for item in (*waiting, *busy, *quick)}
    others = [item for item in items if item.nodeid not in taken]
    mixed = heapq.merge(_placed(waiting), _placed(busy), key=lambda placed: placed[0])
    return [*others, *(item for _, item in mixed), *quick]


def _placed(items: Sequence[pytest.Item]) -> Iterator[tuple[float, pytest.Item]]:
    """Give each test its place in the order, as a share of all."""
    return ((number / len(items), item) for number, item in enumerate(items))


def _needs_full_load(item: pytest.Item) -> bool:
    if item.get_closest_marker("full_load"):
        return True
    arguments = (
        item.callspec.params
        if isinstance(item, pytest.Function) and hasattr(item, "callspec")
        else {}
    )
    is_second = arguments.get("database_url") == "postgresql"
    return is_second and item.get_closest_marker("one_database") is not None


def measures_time(item: pytest.Item) -> bool:
    """Say whether the test has the machine for itself."""
    return item.get_closest_marker("measures_time") is not None
