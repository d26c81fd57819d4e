"""What the metrics say about a web process's own settings."""

from __future__ import annotations

from typing import Any

import pytest

from inbound.metrics import OwnSettings
from inbound.web import own_settings
from settings import Settings

QUEUE = "i-reserve"


@pytest.mark.parametrize(
    ("given", "unread", "expected"),
    [
        pytest.param({}, [], OwnSettings(None, 0), id="none"),
        pytest.param({"reply_task": "a"}, [], OwnSettings(QUEUE, 0), id="replies are told"),
        pytest.param({"outcome_task": "a"}, [], OwnSettings(QUEUE, 0), id="outcomes are told"),
        pytest.param({}, ["HOLD_SECONDS"], OwnSettings(None, 1), id="a name that none reads"),
        pytest.param({"sentry_dsn": "foo"}, [], OwnSettings(None, 1), id="no address of Sentry"),
        pytest.param({"sentry_dsn": "https://k@sentry.example.com/1"}, [], OwnSettings(), id="one"),
    ],
)
def test_settings_without_effect_are_counted(
    given: dict[str, Any], unread: list[str], expected: OwnSettings
) -> None:
    """Settings without effect are counted, and the queue of i-Reserve's tasks is shown if used."""
    assert own_settings(Settings(reply_queue=QUEUE, **given), unread) == expected
