"""The web process's health address names the part that is down: database, broker or store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import requests
from celery import Celery
from flask import Flask
from redis import Redis
from sqlalchemy import Engine, event

from demo.ports import free_port
from inbound.wake_ups import WakeUps
from inbound.web import make_blueprint
from ireserve_mattermost.connections import worker_redis
from models import Database
from tasks.watch.store_looks import STORE, begin_look, end_look, only_look
from tests.webhook_calls import as_json, payload, running_app, send

OK = {"status": "ok", "database": "ok", "broker": "ok", "store": "unknown"}


@dataclass(slots=True)
class Web:
    """A web process without settings, whose parts can each be removed."""

    url: str
    database: Database
    redis: Redis

    def health(self) -> tuple[int, dict[str, str]]:
        """Return status and body."""
        answer = requests.get(self.url.replace("/replies", "/health"), timeout=20)
        return answer.status_code, answer.json()


@pytest.fixture
def web(database: Database, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """A web process that serves its addresses without ``ENCRYPTION_KEYS``."""
    monkeypatch.delenv("ENCRYPTION_KEYS", raising=False)
    with worker_redis(redis_url) as redis:
        web = Web("", database, redis)
        app = Flask("host")
        app.register_blueprint(
            make_blueprint(
                database=lambda: web.database,
                redis=lambda: web.redis,
                wake_ups=WakeUps(Celery(broker=redis_url), redis=lambda: web.redis),
            )
        )
        with running_app(app) as url:
            web.url = url
            yield web


def test_health_needs_no_keys(web: Web) -> None:
    """A web process without ``ENCRYPTION_KEYS`` is healthy."""
    assert web.health() == (200, OK)


def test_health_says_that_the_broker_is_down(web: Web) -> None:
    """Without the broker, the answer is 503 and the database is still ok."""
    with worker_redis(f"redis://127.0.0.1:{free_port()}/0") as nowhere:
        web.redis = nowhere

        assert web.health() == (503, {**OK, "status": "down", "broker": "down"})


def test_health_says_that_the_database_is_down(web: Web) -> None:
    """Without the database, the answer is 503 and the broker is still ok."""
    web.database = Database("postgresql+psycopg://tester@127.0.0.1:1/nothing")

    assert web.health() == (503, {**OK, "status": "down", "database": "down"})


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("takes_files", "minutes_ago", "status", "state"),
    [
        pytest.param(True, 0, 200, "ok", id="takes files"),
        pytest.param(False, 0, 503, "down", id="takes none"),
        pytest.param(None, 0, 200, "unknown", id="a look has just begun"),
        pytest.param(None, 1, 503, "down", id="a look hangs"),
        pytest.param(False, 6, 200, "unknown", id="no look for long"),
    ],
)
def test_health_says_what_a_worker_found_of_the_store(
    web: Web, takes_files: bool | None, minutes_ago: int, status: int, state: str
) -> None:
    """A look at the store that does not end counts as down, and an old look as unknown."""
    begin_look(web.redis)
    if takes_files is not None:
        end_look(web.redis, takes_files=takes_files)
    for name, value in web.redis.hgetall(STORE).items():
        if name != b"takes_files":
            web.redis.hset(STORE, name, int(value) - minutes_ago * 60_000)

    found = web.health()

    assert found == (status, {**OK, "status": "ok" if status == 200 else "down", "store": state})


def test_process_makes_one_look_at_the_store_at_a_time() -> None:
    """While a process looks at the store, it begins no second look."""
    with only_look() as first, only_look() as beside:
        pass
    with only_look() as afterwards:
        pass

    assert [first, beside, afterwards] == [True, False, True]


def test_webhook_and_health_share_one_pool(web: Web) -> None:
    """Webhook and health use one pool of connections."""
    opened: list[object] = []
    # Close the connections that the fixture opened, so that they are not counted.
    web.database.dispose()
    engine: Engine = web.database.engine
    event.listen(engine, "connect", lambda connection, _: opened.append(connection))

    send(web.url, as_json(payload()))
    statuses = [web.health()[0] for _ in range(3)]

    assert statuses == [200, 200, 200]
    assert len(opened) == 1
