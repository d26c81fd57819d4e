"""The Procfile's web process while the broker or the database is away."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from demo.ports import free_port
from demo.redis_server import RedisServer, running_redis
from models import Database, ReplySource, ReplyState
from tasks.wake import RESOLVE_REPLY
from tests.postgres_server import PostgresServer
from tests.stage.deployment import Deploy, Deployment, Process
from tests.stage.task_messages import published
from tests.waiting import wait_until
from tests.webhook_calls import (
    OTHER_TOKEN,
    TOKEN,
    add_licence,
    as_json,
    inbox,
    payload,
    replies,
    send,
)

RECEIVED = (ReplyState.RECEIVED, ReplySource.WEBHOOK)
# A webhook is answered in milliseconds; the rest is for a slow machine.
AT_ONCE_S = 1.0
# While the database or Redis hangs, we promise an answer within this time.
IN_TIME_S = 5.0
SECRET = "geheim0123456789geheim0123"


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis server that the test may stop."""
    with running_redis(tmp_path / "redis", fsync="always") as server:
        yield server


def started(deployment: Deployment) -> tuple[Process, str]:
    """Start the web process; return it and its endpoint when it answers."""
    web = deployment.start("web")
    base = f"http://127.0.0.1:{web.port}/mattermost"

    def answers() -> bool:
        assert web.process.poll() is None, web.log_text()
        try:
            return requests.get(f"{base}/replies", timeout=5).status_code == 405
        except requests.ConnectionError:
            return False

    wait_until(answers, timeout_s=30, what="the web process")
    return web, f"{base}/replies"


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
    _, url = started(deployment)
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
    web, url = started(deployment)
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
    _, url = started(deployment)

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
    web, url = started(deployment)

    answer = send(url, as_json(payload()))

    deployment.stop()
    assert (answer.status_code, answer.json()) == (503, {"error": "the database is away"})
    assert "Traceback" not in web.log_text()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"zz\r\n{}\r\n0\r\n\r\n", b"HTTP/1.1 400 "),
        (b"2\r\n{}XX0\r\n\r\n", b"HTTP/1.1 400 "),
        (b"-1\r\n{}", b"HTTP/1.1 400 "),
        (b"5\r\n{}", b""),
    ],
    ids=["no length", "no end of chunk", "negative", "cut off"],
)
def test_broken_chunks_are_refused(
    tmp_path: Path, sqlite_url: str, body: bytes, expected: bytes, deploy: Deploy
) -> None:
    """An unreadable chunked body gets 400, and a broken-off one no answer."""
    deployment = deploy(tmp_path, redis_url="redis://", database_url=sqlite_url)
    web, _ = started(deployment)
    head = b"POST /mattermost/replies HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"

    with socket.create_connection(("127.0.0.1", web.port), 10) as connection:
        connection.sendall(head + body)
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(4_096)

    deployment.stop()
    assert answer[: len(b"HTTP/1.1 400 ")] == expected
    assert "Traceback" not in web.log_text()


def test_log_tells_ids_and_never_token_text_or_name(
    tmp_path: Path, sqlite_url: str, deploy: Deploy
) -> None:
    """No secret in any field appears in the log or an answer, however the call fails."""
    database = Database(sqlite_url)
    add_licence(database)
    deployment = deploy(
        tmp_path,
        redis_url=f"redis://:{SECRET}@127.0.0.1:{free_port()}/0",
        database_url=sqlite_url,
    )
    web, url = started(deployment)
    marked = payload(text=SECRET, user_name=SECRET, channel_name=SECRET, token=SECRET)
    bodies = [
        as_json(marked),
        as_json({**marked, "token": TOKEN}),
        as_json({**marked, "token": TOKEN, "post_id": SECRET + "!"}),
        as_json({**marked, "token": TOKEN, SECRET: SECRET, "timestamp": SECRET}),
        as_json(marked)[:-5],
    ]

    answers = [send(url, body) for body in bodies]
    wait_until(lambda: "wake_up_not_published" in web.log_text(), what="all of the log")
    log = web.log_text()

    deployment.stop()
    database.dispose()
    assert [answer.status_code for answer in answers] == [401, 200, 400, 200, 400]
    assert log.count("webhook_refused") == 1 + 3
    assert SECRET not in log + "".join(answer.text for answer in answers)


def test_operator_rotates_a_token_by_command(
    tmp_path: Path, sqlite_url: str, deploy: Deploy
) -> None:
    """An operator rotates a token by commands, and a wrong token is not shown."""
    database = Database(sqlite_url)
    add_licence(database, tokens=())
    deployment = deploy(tmp_path, redis_url="redis://", database_url=sqlite_url)

    def webhook(*words: str, token: str = "") -> tuple[int, str]:
        done = deployment.command("licence", "webhook", "L1", *words, stdin=token)
        errors = [line for line in done.stderr.splitlines(True) if "operator_action" not in line]
        return done.returncode, "".join([done.stdout, *errors])

    told = [
        webhook("--token-file", "-", token=f"{TOKEN}\n"),
        webhook("--token-file", "-", token=OTHER_TOKEN),
        webhook("--finish"),
        webhook("--forget", "--token-file", "-", token=TOKEN),
        webhook("--token-file", "-", token=SECRET + "!"),
    ]

    database.dispose()
    assert told == [
        (0, "Licence L1: token accepted from now on.\n"),
        (0, "Licence L1: token accepted from now on.\n"),
        (0, "Licence L1: tokens removed: 1.\n"),
        (0, "Licence L1: the token was not known.\n"),
        (1, "Error: this is no webhook's token: those are 26 letters and digits\n"),
    ]
