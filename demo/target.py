"""Where the demo plays: the stand-in server, or a real Mattermost named by the environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from demo.installation import ROOT, DemoError, request_json

TEAM = "ireserve"
CHANNEL = "webchat"
BOOKINGS = "bookings"
BOT = "i-reserve"
VARIABLES = (
    "MATTERMOST_URL",
    "MATTERMOST_BOT_TOKEN",
    "MATTERMOST_TEAM",
    "MATTERMOST_CHANNEL",
)
STOP_TIMEOUT_S = 10


@dataclass(frozen=True, slots=True)
class Target:
    """A Mattermost server with a bot in a channel. ``bookings`` is a second channel, if any."""

    url: str
    token: str = field(repr=False)
    team: str
    channel: str
    bookings: str | None
    is_stand_in: bool

    @property
    def page_url(self) -> str:
        """Return the address of the channel's page."""
        return f"{self.url}/{self.team}/channels/{self.channel}"


@contextmanager
def running_target(directory: Path) -> Iterator[Target]:
    """Yield the server to play against.

    Raises:
        DemoError: the environment names only part of a real server.
    """
    given = {name: os.environ.get(name, "") for name in VARIABLES}
    if all(given.values()):
        url, token, team, channel = given.values()
        yield Target(url.rstrip("/"), token, team, channel, None, is_stand_in=False)
        return
    if any(given.values()):
        missing = ", ".join(name for name, value in given.items() if not value)
        raise DemoError(f"to play against a real server, set {missing} as well")
    with _running_stand_in(directory) as url:
        yield _set_up(url)


@contextmanager
def _running_stand_in(directory: Path) -> Iterator[str]:
    with (directory / "stand-in.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "demo.mattermost", "--port", "0"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise DemoError(f"the stand-in did not start; see {directory / 'stand-in.log'}")
        yield str(json.loads(line)["url"])
    finally:
        process.terminate()
        process.wait(STOP_TIMEOUT_S)
        assert process.stdout is not None
        process.stdout.close()


def _set_up(url: str) -> Target:
    channels = [{"team": TEAM, "name": name} for name in (CHANNEL, BOOKINGS)]
    places = {"team": TEAM, "channels": [f"{TEAM}/{name}" for name in (CHANNEL, BOOKINGS)]}
    made = request_json(
        "POST",
        f"{url}/_control/setup",
        {
            "teams": [{"name": TEAM}],
            "channels": channels,
            "users": [{"username": "anna", "email": "anna@example.com", **places}],
            "bots": [{"username": BOT, **places}],
        },
    )
    assert isinstance(made, dict)
    return Target(url, made["bots"][BOT]["token"], TEAM, CHANNEL, BOOKINGS, is_stand_in=True)
