"""Fixtures: a licence on the stand-in with a worker's parts, its operator, metrics and webhook."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis

from demo.mattermost import StandIn
from demo.redis_server import RedisServer
from ireserve_mattermost.lanes import Lanes
from models import Database
from models.keyring import new_key
from settings import Settings, get_settings
from tasks.app import app
from tasks.licences import circuit
from tasks.licences.registration import Registration
from tasks.runtime import build_runtime
from tests.operators import Operator, environment_of
from tests.stage.broker import forget_connections
from tests.stage.examining import store_hook_token
from tests.stage.registering import register
from tests.stage.scraper import Scraper, running_scraper
from tests.stage.stage import BOT, CHANNEL, LICENCE, TEAM, Stage
from tests.stage.thread import MirroredThread
from tests.webhook_calls import FORM_TOKEN, TOKEN, Endpoint, add_licence, host_app, running_app


@pytest.fixture(scope="session", autouse=True)
def broker(redis_server: RedisServer) -> Iterator[None]:
    """Let our Celery application publish to the tests' own Redis, which no worker reads."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REDIS_URL", redis_server.url)
        get_settings.cache_clear()
        app.conf.update(broker_url=redis_server.url)
        # The connections of another test in this process lead to another address.
        patch.setattr(app, "_pool", None)
        patch.setattr(app.amqp, "_producer_pool", None)
        yield
    get_settings.cache_clear()


@pytest.fixture
def end_broker_outage() -> Iterator[Callable[[], None]]:
    """A function that ends the broker's outage; until then the broker refuses connections."""
    with pytest.MonkeyPatch.context() as patch:

        def end() -> None:
            patch.undo()
            forget_connections()

        forget_connections()
        patch.setenv("CELERY_BROKER_URL", "redis://127.0.0.1:1/0")
        yield end
        end()


@pytest.fixture
def timeout_s() -> float:
    """The connect and the read timeout; a module with a slow server has a shorter one."""
    return 10.0


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path: Path, timeout_s: float) -> Settings:
    """The settings of an installation on the tests' own servers."""
    store = tmp_path / "store"
    store.mkdir()
    return Settings(
        database_url=database_url,
        redis_url=redis_url,
        encryption_keys=new_key(),
        attachments_url=f"file://{store}",
        connect_timeout_s=timeout_s,
        read_timeout_s=timeout_s,
    )


@pytest.fixture
def stage(settings: Settings, stand_in: StandIn, tmp_path: Path) -> Iterator[Stage]:
    """A registered licence, on each kind of database."""
    place = f"{TEAM}/{CHANNEL}"
    made = stand_in.setup(
        {
            "teams": [{"name": TEAM}],
            "channels": [{"team": TEAM, "name": CHANNEL}],
            "users": [{"username": "anna", "channels": [place]}],
            "bots": [{"username": BOT, "channels": [place]}],
        }
    )
    token = made["bots"][BOT]["token"]
    runtime = build_runtime(settings, threads=4)
    registration = Registration(LICENCE, stand_in.url, TEAM, CHANNEL, token)
    register(registration, settings=settings, database=runtime.database)
    stand_in.clear_received()
    stage = Stage(
        runtime=runtime,
        stand_in=stand_in,
        channel_id=made["channels"][place]["id"],
        bot_token=token,
        user_token=made["users"]["anna"]["token"],
        store=tmp_path / "store",
    )
    yield stage
    stage.runtime.database.dispose()


@pytest.fixture
def private_channel(stage: Stage) -> None:
    """Make the licence's channel private, so that it can have no webhook."""
    stage.stand_in.setup({"channels": [{"team": TEAM, "name": CHANNEL, "type": "P"}]})


@pytest.fixture
def thread(stage: Stage) -> MirroredThread:
    """A conversation with its thread."""
    return MirroredThread.open(stage)


@pytest.fixture
def fresh_circuits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read each circuit's state anew, which a worker otherwise keeps for a second."""
    monkeypatch.setattr(circuit, "CACHE_S", 0.0)


@pytest.fixture
def operator(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Operator:
    """The operator of the stage's installation."""
    environment_of(stage.runtime.settings, monkeypatch)
    return Operator(stage.runtime.settings)


@pytest.fixture
def hook_token(stage: Stage) -> None:
    """Store ``HOOK_TOKEN`` as the token of the licence's webhook."""
    store_hook_token(stage)


@pytest.fixture
def scraper(stage: Stage) -> Iterator[Scraper]:
    """A scraper of a web process that serves the stage's installation."""
    with running_scraper(stage) as scraper:
        yield scraper


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    """An empty Redis."""
    with Redis.from_url(redis_url) as redis:
        yield redis


@pytest.fixture
def lanes(redis: Redis) -> Lanes:
    """The lanes in an empty Redis."""
    return Lanes(redis)


@pytest.fixture
def endpoint(database: Database, redis_url: str) -> Iterator[Endpoint]:
    """The served webhook endpoint, for licence L1 with the recorded tokens and bot."""
    add_licence(database, tokens=(TOKEN, FORM_TOKEN))
    with running_app(host_app(database, redis_url)) as url:
        yield Endpoint(url, database)
