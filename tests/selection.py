"""Which tests run in the usual load, and which come last."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what only the full load brings; put those that measure time behind all others.

    Then hardly another test is left to wait for.
    """
    if not config.getoption("--full-load"):
        left_out = [item for item in items if _needs_full_load(item)]
        items[:] = [item for item in items if not _needs_full_load(item)]
        config.hook.pytest_deselected(items=left_out)
    items.sort(key=measures_time)


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
