"""The doctor checks the environment's names, Sentry, and Redis' memory and clock."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from redis import Redis
from redis.exceptions import AuthenticationError, BusyLoadingError, RedisError, ResponseError

from demo.ports import free_port
from demo.redis_server import RedisServer, running_redis
from settings import mistyped_names
from tasks.checks.broker import check_broker, check_memory, check_redis_clock
from tasks.checks.reports import EMPTY_ENVELOPE, check_reports
from tasks.checks.variables import check_names
from tasks.watch import redis_clock
from tests.sentry_endpoint import KEY, running_endpoint
from tests.wire import WireServer, always, http


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("HOLD_SECONDS", "HOLD_SECONDS (did you mean HOLD_S?)"),
        ("REPLY_TASKS", "REPLY_TASKS (did you mean REPLY_TASK?)"),
        ("WORKER_THREAD", "WORKER_THREAD (did you mean WORKER_THREADS?)"),
        ("IRESERVE_MATTERMOST_DATABASE_URL", "(did you mean DATABASE_URL?)"),
        ("IRESERVE_MATTERMOST_REDIS_URI", "(did you mean IRESERVE_MATTERMOST_REDIS_URL?)"),
        ("IRESERVE_MATTERMOST_QX", "IRESERVE_MATTERMOST_QX"),
    ],
)
def test_setting_that_no_process_reads_is_named(name: str, told: str) -> None:
    """An unread setting is named with the nearest known name, without its value."""
    check = check_names(mistyped_names({name: "geheim"}))

    assert check.state.value == "warn"
    assert check.sentence.endswith(told)
    assert "geheim" not in check.sentence


@pytest.mark.parametrize(
    "name", ["PATH", "HOLD_S", "IRESERVE_MATTERMOST_OPERATOR", "IRESERVE_MATTERMOST_REDIS_URL"]
)
def test_name_that_is_read_or_not_ours_is_well(name: str) -> None:
    """A setting that is read, or another program's variable, is ok."""
    assert check_names(mistyped_names({name: "x"})).state.value == "ok"


def test_sentry_that_takes_reports_is_sent_an_empty_envelope() -> None:
    """The doctor sends Sentry an empty envelope with only the key."""
    with running_endpoint() as endpoint:
        check = check_reports(endpoint.dsn)

    assert check.state.value == "ok"
    assert endpoint.envelopes == [EMPTY_ENVELOPE]


@pytest.mark.parametrize(
    ("dsn", "sentence"),
    [
        pytest.param("foo", "is no address of Sentry", id="no address"),
        pytest.param(f"http://{KEY}@127.0.0.1:{{closed}}/1", "cannot be reached", id="away"),
        pytest.param(f"http://{KEY}@127.0.0.1:{{refusing}}/1", "refuses the key", id="unknown key"),
        pytest.param(f"http://{KEY}@127.0.0.1:{{broken}}/1", "HTTP 502", id="broken"),
    ],
)
def test_sentry_that_takes_no_report_is_named_without_its_key(dsn: str, sentence: str) -> None:
    """A Sentry that refuses reports is named with its cure and without its key."""
    with WireServer(always(http(403, b"{}"))) as refusing, WireServer(always(http(502))) as broken:
        ports = {"refusing": refusing.port, "broken": broken.port, "closed": free_port()}

        check = check_reports(dsn.format(**ports))

    assert (check.state.value, bool(check.cure)) == ("warn", True)
    assert sentence in check.sentence
    assert KEY not in check.sentence


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[Redis]:
    """A Redis server that the test may fill."""
    server: RedisServer
    with running_redis(tmp_path / "redis") as server, Redis.from_url(server.url) as redis:
        yield redis


def test_memory_of_redis_is_told_before_it_is_full(own_redis: Redis) -> None:
    """A Redis without memory limit or with little memory left is a warning."""
    unlimited = check_memory(own_redis)
    used = int(own_redis.info("memory")["used_memory"])
    own_redis.config_set("maxmemory", used * 4)
    roomy = check_memory(own_redis)
    own_redis.config_set("maxmemory", int(used * 1.1))
    narrow = check_memory(own_redis)

    assert [each.state.value for each in (unlimited, roomy, narrow)] == ["warn", "ok", "warn"]
    assert "no limit" in unlimited.sentence
    assert "raise maxmemory" in narrow.cure


@pytest.mark.parametrize(
    ("ahead_s", "state"), [(0, "ok"), (50, "ok"), (120, "warn"), (-120, "warn")]
)
def test_clock_of_redis_is_compared_with_ours(
    redis: Redis, monkeypatch: pytest.MonkeyPatch, ahead_s: int, state: str
) -> None:
    """A difference of two minutes between our clock and Redis' clock, either way, is a warning."""
    clock = SimpleNamespace(time=lambda: time.time() + ahead_s)
    monkeypatch.setattr(redis_clock, "time", clock)

    check = check_redis_clock(redis)

    assert (check.state.value, bool(check.cure)) == (state, state == "warn")


class Refusing:
    """A Redis that answers each command with one error."""

    def __init__(self, error: RedisError) -> None:
        self._error = error

    def set(self, *_: object, **__: object) -> None:
        """Refuse to write."""
        raise self._error


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (AuthenticationError("WRONGPASS"), "refuses the user or the password"),
        (BusyLoadingError("loading"), "still reading its file"),
        (
            ResponseError("Errors writing to the AOF file. And more."),
            "Errors writing to the AOF",
        ),
        (
            ResponseError("Not enough good replicas to write."),
            "Not enough good replicas",
        ),
    ],
    ids=["password", "loading", "disk full", "replicas"],
)
def test_redis_that_refuses_says_why(error: RedisError, sentence: str) -> None:
    """The finding shows the error with which Redis refuses a command."""
    check, takes_messages = check_broker(Refusing(error), place="here:1/0")  # type: ignore[arg-type]

    assert (check.state.value, bool(check.cure), takes_messages) == ("fail", True, False)
    assert sentence in check.sentence
