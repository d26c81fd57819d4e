"""The doctor compares this machine's clock with the clock of the Mattermost server."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest

from models import utc_now
from tasks.checks.check import Check
from tasks.checks.clock import check_clock
from tasks.mattermost import MattermostError
from tasks.runtime import connect
from tests.stage.stage import Stage
from tests.wire import WireServer, always, http


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One kind of database, since the tests compare the clocks of Mattermost and this machine."""
    return sqlite_url


@pytest.mark.parametrize(
    ("ahead_s", "state"),
    [
        (0, "ok"),
        (50, "ok"),
        (-50, "ok"),
        (120, "warn"),
        (-120, "warn"),
        (300, "fail"),
        (-300, "fail"),
    ],
)
def test_clocks_that_are_apart_are_noticed(stage: Stage, ahead_s: int, state: str) -> None:
    """A clock that differs by two minutes is a warning, and by five minutes a failure."""
    moment = utc_now() + timedelta(seconds=ahead_s)
    date = moment.strftime("%a, %d %b %Y %H:%M:%S GMT")

    with WireServer(always(http(200, b"{}", headers={"Date": date}))) as server:
        check = clock_of(stage, server)

    assert check.state == state
    assert bool(check.cure) == (state != "ok")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(http(200, b"{}"), id="without a date"),
        pytest.param(http(200, b"{}", headers={"Date": "today"}), id="with a date that is none"),
    ],
)
def test_clock_that_is_not_told_is_not_judged(stage: Stage, answer: bytes) -> None:
    """Without the server's time, the clock is not checked."""
    with WireServer(always(answer)) as server:
        assert clock_of(stage, server).state == "skip"


def clock_of(stage: Stage, server: WireServer) -> Check:
    """Return the finding about a server's clock after one request."""
    with connect(stage.runtime.settings, f"http://127.0.0.1:{server.port}", "t" * 26) as client:
        with suppress(MattermostError):
            client.get_client_config()
        return check_clock(client.answer_headers)
