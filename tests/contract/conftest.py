"""The server under test: a real one when the environment names it, else the stand-in."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from demo.mattermost import VERSIONS, StandIn, running_server
from tests.contract.receiver import Receiver, running_receiver
from tests.contract.recordings import Recording, recording_of
from tests.contract.server import ServerUnderTest, make_server


@pytest.fixture(scope="session")
def session() -> Iterator[requests.Session]:
    """One session for all calls, without settings from the environment."""
    with requests.Session() as opened:
        opened.trust_env = False
        yield opened


REAL_URL = os.environ.get("MATTERMOST_URL", "").rstrip("/")


@pytest.fixture(scope="session", params=["real"] if REAL_URL else list(VERSIONS))
def server(request: pytest.FixtureRequest, session: requests.Session) -> Iterator[ServerUnderTest]:
    """The server of MATTERMOST_URL with MATTERMOST_ADMIN_TOKEN, or a stand-in of each version."""
    with _server(session, version=request.param) as made:
        yield made


@pytest.fixture(scope="session")
def server_11(session: requests.Session) -> Iterator[ServerUnderTest]:
    """A server of 11.6 or later, for what 6.7.2 lacks."""
    with _server(session, version="11.6.0") as made:
        if recording_of(made.version).version != "11.6.0":
            pytest.skip(f"the server at MATTERMOST_URL is {made.version}")
        yield made


@contextmanager
def _server(session: requests.Session, *, version: str) -> Iterator[ServerUnderTest]:
    if REAL_URL:
        token = os.environ["MATTERMOST_ADMIN_TOKEN"]
        yield make_server(session, url=REAL_URL, admin_token=token)
        return
    with running_server(version=version) as server:
        admin = server.setup({})["admin"]
        yield make_server(session, url=server.url, admin_token=admin["token"])


@pytest.fixture
def recording(server: ServerUnderTest) -> Recording:
    """The recorded answers of a real server of the same version."""
    return recording_of(server.version)


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    """A stand-in for this test alone, for what only a stand-in can do."""
    with running_server() as server:
        yield server


@pytest.fixture
def own_server(stand_in: StandIn, session: requests.Session) -> ServerUnderTest:
    """A team with channels and users on this test's own stand-in."""
    admin = stand_in.setup({})["admin"]
    return make_server(session, url=stand_in.url, admin_token=admin["token"])


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """An HTTP server that webhooks, commands and buttons can call."""
    with running_receiver() as running:
        yield running
