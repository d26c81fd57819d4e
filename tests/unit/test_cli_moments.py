"""How the command line reads a time, and which it refuses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import click
import pytest

from models import utc_now
from tasks.cli.moments import MOMENT

CLOSE_ENOUGH = timedelta(seconds=5)


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("30m", timedelta(minutes=30)),
        ("2h", timedelta(hours=2)),
        ("7d", timedelta(days=7)),
        ("0m", timedelta()),
    ],
)
def test_time_ago_is_read(text: str, ago: timedelta) -> None:
    """Minutes, hours and days are counted back from now."""
    moment = MOMENT.convert(text, None, None)

    assert abs(utc_now() - ago - moment) < CLOSE_ENOUGH


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-08-31", datetime(2026, 8, 31, tzinfo=UTC)),
        ("2026-08-31T12:00", datetime(2026, 8, 31, 12, tzinfo=UTC)),
        ("2026-08-31T12:00Z", datetime(2026, 8, 31, 12, tzinfo=UTC)),
        ("2026-08-31T12:00+02:00", datetime(2026, 8, 31, 12, tzinfo=timezone(timedelta(hours=2)))),
    ],
)
def test_absolute_time_is_read(text: str, moment: datetime) -> None:
    """A time is read as ISO 8601, in UTC if it names no zone."""
    assert MOMENT.convert(text, None, None) == moment


@pytest.mark.parametrize("text", ["yesterday", "-2h", "2w", "", "999999d", "2026-13-01"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    """The error about a wrong time shows how to write one."""
    with pytest.raises(click.BadParameter, match="30m, 2h or 7d"):
        MOMENT.convert(text, None, None)
