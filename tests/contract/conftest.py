"""The server under test: a real one when the environment names it, else the stand-in."""

import os
from collections.abc import Iterator

import pytest
import requests

from demo.mattermost import StandIn, running_server
from tests.contract.receiver import Receiver, running_receiver
from tests.contract.server import ServerUnderTest, make_server


@pytest.fixture(scope="session")
def session() -> Iterator[requests.Session]:
    """One session for all calls, which reads no settings from the surroundings."""
    with requests.Session() as opened:
        opened.trust_env = False
        yield opened


@pytest.fixture(scope="session")
def server(session: requests.Session) -> Iterator[ServerUnderTest]:
    """The server of MATTERMOST_URL with MATTERMOST_ADMIN_TOKEN, or a stand-in."""
    url = os.environ.get("MATTERMOST_URL")
    if url:
        token = os.environ["MATTERMOST_ADMIN_TOKEN"]
        yield make_server(session, url=url.rstrip("/"), admin_token=token)
        return
    with running_server() as server:
        admin = server.setup({})["admin"]
        yield make_server(session, url=server.url, admin_token=admin["token"])


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    """A stand-in of the test's own, for what only a stand-in can do."""
    with running_server() as server:
        yield server


@pytest.fixture
def own_server(stand_in: StandIn, session: requests.Session) -> ServerUnderTest:
    """The test's own stand-in."""
    admin = stand_in.setup({})["admin"]
    return make_server(session, url=stand_in.url, admin_token=admin["token"])


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Where webhooks can call."""
    with running_receiver() as running:
        yield running
