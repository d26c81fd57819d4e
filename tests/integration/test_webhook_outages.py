"""The Procfile's web process while the broker or the database is away."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from demo.ports import free_port
from demo.redis_server import RedisServer, running_redis
from models import Database
from tasks.wake import RESOLVE_REPLY
from tests.postgres_server import PostgresServer
from tests.stage.deployment import Deploy
from tests.stage.task_messages import published
from tests.waiting import wait_until
from tests.webhook_calls import (
    add_licence,
    as_json,
    inbox,
    payload,
    replies,
    send,
    start_web,
)

# A webhook is answered in milliseconds; the rest is for a slow machine.
AT_ONCE_S = 1.0
# While the database or Redis hangs, we promise an answer within this time.
IN_TIME_S = 5.0


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis server that the test may stop."""
    with running_redis(tmp_path / "redis", fsync="always") as server:
        yield server


def timed(url: str, letter: str) -> tuple[int, bool]:
    """Send a reply; return the status, and whether it came quickly."""
    began = time.monotonic()
    status = send(url, as_json(payload(post_id=letter * 26))).status_code
    return status, time.monotonic() - began < AT_ONCE_S


@pytest.mark.one_database
@pytest.mark.measures_time
def test_broker_that_is_gone_or_hangs_holds_no_webhook_up(
    own_redis: RedisServer, database: Database, database_url: str, tmp_path: Path, deploy: Deploy
) -> None:
    """Webhooks get 200 at once and are stored, whether the broker works, hangs or is gone."""
    add_licence(database)
    deployment = deploy(tmp_path, redis_url=own_redis.url, database_url=database_url)
    _, url = start_web(deployment)
    assert own_redis.process is not None

    working = timed(url, "a")
    wait_until(lambda: len(woken(own_redis.url)) == 1, what="the first wake-up")
    own_redis.process.send_signal(signal.SIGSTOP)
    hung = [timed(url, letter) for letter in "bcdef"]
    own_redis.process.send_signal(signal.SIGCONT)
    own_redis.stop(with_signal=signal.SIGKILL)
    gone = [timed(url, letter) for letter in "ghijk"]
    own_redis.start()
    back = [timed(url, "m")]
    last = replies(database)[-1].id
    wait_until(lambda: last in woken(own_redis.url), what="the wake-up of the last reply")

    deployment.stop()
    assert [working, *hung, *gone, *back] == [(200, True)] * 12
    assert [post_id[0] for _, post_id, *_ in inbox(database)] == list("abcdefghijkm")


def woken(redis_url: str) -> list[int]:
    """Return the replies that the queue's task messages name."""
    found = published(redis_url, "mattermost")
    assert {headers["task"] for headers, _ in found} <= {RESOLVE_REPLY}
    return [reply_id for _, keywords in found for reply_id in keywords["reply_ids"]]


def test_postgresql_that_is_away_is_a_503_until_it_is_back(
    postgres_server: PostgresServer,
    postgres_url: str,
    redis_url: str,
    tmp_path: Path,
    deploy: Deploy,
) -> None:
    """While PostgreSQL is away, calls get 503 and a log line; the next one succeeds."""
    database = Database(postgres_url.replace("postgresql:", "postgresql+psycopg:"))
    add_licence(database)
    deployment = deploy(tmp_path, redis_url=redis_url, database_url=postgres_url)
    web, url = start_web(deployment)
    before = send(url, as_json(payload(post_id="a" * 26)))

    postgres_server.stop()
    try:
        away = send(url, as_json(payload(post_id="b" * 26)))
    finally:
        postgres_server.start()
    back = send(url, as_json(payload(post_id="c" * 26)))

    deployment.stop()
    assert [each.status_code for each in (before, away, back)] == [200, 503, 200]
    assert away.json() == {"error": "the database is away"}
    assert "webhook_not_recorded" in web.log_text()
    assert [post_id[0] for _, post_id, *_ in inbox(database)] == ["a", "c"]
    database.dispose()


def test_postgresql_that_stands_still_is_a_503_in_time(
    own_postgres: PostgresServer, redis_url: str, tmp_path: Path, deploy: Deploy
) -> None:
    """While PostgreSQL hangs, webhooks and health get 503 within 5 s, and afterwards 200.

    SIGSTOP leaves the server's connections open, and its kernel accepts all that is sent.
    """
    calls = 40
    database = Database(own_postgres.url().replace("postgresql:", "postgresql+psycopg:"))
    add_licence(database)
    database.dispose()
    deployment = deploy(tmp_path, redis_url=redis_url, database_url=own_postgres.url())
    _, url = start_web(deployment)

    def call(number: int) -> tuple[int, float]:
        began = time.monotonic()
        post_id = f"{number:026}"
        return send(url, as_json(payload(post_id=post_id))).status_code, time.monotonic() - began

    with ThreadPoolExecutor(calls) as pool:
        before = list(pool.map(call, range(calls)))
        with own_postgres.suspended():
            away = list(pool.map(call, range(calls, 2 * calls)))
            health = timed_health(url)
        # Each process finds separately that the server is back.
        wait_until(
            lambda: {status for status, _ in pool.map(call, range(2 * calls, 3 * calls))} == {200},
            timeout_s=IN_TIME_S,
            what="web processes that are well again",
        )

    deployment.stop()
    assert [status for status, _ in before + away] == [200] * calls + [503] * calls
    assert max(seconds for _, seconds in [*away, health]) < IN_TIME_S
    assert health[0] == 503


def timed_health(url: str) -> tuple[int, float]:
    """Request the health address; return the status and the seconds."""
    began = time.monotonic()
    status = requests.get(url.replace("/replies", "/health"), timeout=30).status_code
    return status, time.monotonic() - began


def test_database_without_tables_is_a_503(tmp_path: Path, deploy: Deploy) -> None:
    """Without tables, calls get 503 and no traceback is logged."""
    deployment = deploy(
        tmp_path,
        redis_url=f"redis://127.0.0.1:{free_port()}/0",
        database_url=f"sqlite:///{tmp_path / 'empty.db'}",
    )
    web, url = start_web(deployment)

    answer = send(url, as_json(payload()))

    deployment.stop()
    assert (answer.status_code, answer.json()) == (503, {"error": "the database is away"})
    assert "Traceback" not in web.log_text()
