"""The demo's Mattermost server: the stand-in, or a real one that the environment names."""

from __future__ import annotations

import json
import os
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from demo.errors import DemoError
from demo.languages import TIME_ZONES
from demo.ports import free_port
from demo.processes import url_of
from demo.supervisor import Supervisor, answers

LICENCE = "demo"
PRIVATE_LICENCE = "demo-private"
TEAM = "ireserve"
CHANNEL = "webchat"
PRIVATE_CHANNEL = "vip"
BOOKINGS = "bookings"
BOOKINGS_NAMES = {"en": "bookings", "nl": "boekingen", "de": "buchungen"}
BOT = "i-reserve"
STAND_IN = "stand-in"
PRIVATE_BOT = "i-reserve-private"
MEMBER = "anna"
ANNA = {"username": MEMBER, "first_name": "Anna", "email": "anna@example.com"}
# A member of the team who follows no thread.
COLLEAGUE = {"username": "bram", "first_name": "Bram", "email": "bram@example.com"}
VARIABLES = (
    "MATTERMOST_URL",
    "MATTERMOST_BOT_TOKEN",
    "MATTERMOST_TEAM",
    "MATTERMOST_CHANNEL",
)
# The token of a member who then answers in the thread; without it no member answers.
MEMBER_VARIABLE = "MATTERMOST_MEMBER_TOKEN"
SETUP_TIMEOUT_S = 10


@dataclass(frozen=True, slots=True)
class Place:
    """A licence's channel and the token of the bot in it."""

    licence_id: str
    channel: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Target:
    """A Mattermost server. ``private`` and ``bookings`` are further channels, or None.

    ``member_token`` is the token of a member of the channels; None: no member will answer.
    """

    url: str
    team: str
    public: Place
    private: Place | None
    bookings: str | None
    member_token: str | None = field(repr=False)
    is_stand_in: bool

    @property
    def places(self) -> list[Place]:
        """Return the places of all licences."""
        return [self.public] + ([self.private] if self.private else [])

    def label(self, place: Place, *, private: str) -> str:
        """Return the channel's name for display, with ``private`` added for the private channel."""
        return f"~{place.channel}{f' ({private})' * (place is self.private)}"

    def page_url(self, place: Place) -> str:
        """Return the address of the channel's page."""
        return f"{self.url}/{self.team}/channels/{place.channel}"

    def make_webhook(self, callback_url: str) -> str:
        """Make the outgoing webhook of the stand-in's public channel; return its token."""
        hook = {
            "channel": f"{self.team}/{self.public.channel}",
            "callback_urls": [callback_url],
            "content_type": "application/json",
            "display_name": "i-Reserve",
        }
        return str(_made(self.url, {"hooks": [hook]})["hooks"][0]["token"])


@contextmanager
def running_target(supervisor: Supervisor, *, language: str = "en") -> Iterator[Target]:
    """Yield the server to play against.

    Raises:
        DemoError: the environment names only part of a real server.
    """
    given = {name: os.environ.get(name, "") for name in VARIABLES}
    if all(given.values()):
        yield _real(*given.values(), member_token=os.environ.get(MEMBER_VARIABLE) or None)
        return
    if any(given.values()):
        missing = ", ".join(name for name, value in given.items() if not value)
        raise DemoError(f"to play against a real server, set {missing} as well")
    with _running_stand_in(supervisor) as url:
        yield _set_up(url, language)


def _real(url: str, token: str, team: str, channel: str, *, member_token: str | None) -> Target:
    return Target(
        url=url.rstrip("/"),
        team=team,
        public=Place(LICENCE, channel, token),
        private=None,
        bookings=None,
        member_token=member_token,
        is_stand_in=False,
    )


@contextmanager
def _running_stand_in(supervisor: Supervisor) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "demo.mattermost", "--port", str(port)]
    with supervisor.running({STAND_IN: command}, {STAND_IN: os.environ}):
        url = url_of(port)
        supervisor.wait_for(STAND_IN, lambda: answers(f"{url}/api/v4/system/ping"))
        yield url


def _set_up(url: str, language: str) -> Target:
    options = {"DefaultClientLocale": language, "PageTimeZone": TIME_ZONES[language]}
    _control(url, "PATCH", "options", options)
    made = _made(url, _wanted(language))
    return Target(
        url=url,
        team=TEAM,
        public=Place(LICENCE, CHANNEL, made["bots"][BOT]["token"]),
        private=Place(PRIVATE_LICENCE, PRIVATE_CHANNEL, made["bots"][PRIVATE_BOT]["token"]),
        bookings=BOOKINGS,
        member_token=made["users"][MEMBER]["token"],
        is_stand_in=True,
    )


def _wanted(language: str) -> dict[str, Any]:
    """Return the team, channels, users and bots to make on the stand-in."""
    public, bookings, private = (f"{TEAM}/{name}" for name in (CHANNEL, BOOKINGS, PRIVATE_CHANNEL))
    everywhere = [public, bookings, private]
    return {
        "teams": [{"name": TEAM, "display_name": "i-Reserve"}],
        "channels": [
            {"team": TEAM, "name": CHANNEL},
            {"team": TEAM, "name": BOOKINGS, "display_name": BOOKINGS_NAMES[language]},
            {"team": TEAM, "name": PRIVATE_CHANNEL, "type": "P"},
        ],
        "users": [
            {**ANNA, "channels": everywhere, "follows": [public, private]},
            # He follows no threads, so he gets no notification of a visitor's second message.
            {**COLLEAGUE, "channels": everywhere},
        ],
        "bots": [
            {"username": BOT, "channels": [public, bookings]},
            {"username": PRIVATE_BOT, "channels": [private]},
        ],
    }


def _made(url: str, wanted: dict[str, Any]) -> dict[str, Any]:
    """Make these objects on the stand-in; return their ids and tokens."""
    return _control(url, "POST", "setup", wanted)


def _control(url: str, method: str, what: str, body: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(
        f"{url}/_control/{what}",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
        method=method,
    )
    with urllib.request.urlopen(request, timeout=SETUP_TIMEOUT_S) as response:
        answer: dict[str, Any] = json.load(response)
    return answer
