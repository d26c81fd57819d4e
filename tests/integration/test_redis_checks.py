"""The doctor reports a failure for a Redis that answers but does not keep messages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from demo.redis_server import RedisServer, running_redis
from ireserve_mattermost.unreadable import (
    MAX_BYTES,
    MAX_ENTRIES,
    UNREADABLE,
    UNREADABLE_COUNTS,
    keep_unreadable,
    read_set_aside,
)
from tasks.checks.broker import check_broker, check_entries


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis server that the test may configure wrongly."""
    with running_redis(tmp_path / "redis") as server:
        yield server


@pytest.mark.parametrize(
    ("setting", "value", "named"),
    [
        ("maxmemory-policy", "allkeys-lru", "noeviction"),
        ("maxmemory-policy", "volatile-ttl", "noeviction"),
        ("appendonly", "no", "appendonly yes"),
        ("maxmemory", "1", "maxmemory"),
    ],
)
def test_redis_that_does_not_keep_messages_is_red(
    own_redis: RedisServer, setting: str, value: str, named: str
) -> None:
    """A Redis that is full, may evict keys or writes no file fails the check, though it answers."""
    with Redis.from_url(own_redis.url) as redis:
        before, _ = check_broker(redis, place="here:1/0")
        redis.config_set(setting, value)
        after, takes_messages = check_broker(redis, place="here:1/0")

    assert (before.state.value, after.state.value) == ("ok", "fail")
    assert takes_messages is (setting != "maxmemory")
    assert named in after.cure
    assert all("here:1/0" in check.sentence for check in (before, after))


def test_redis_that_became_a_replica_is_red(own_redis: RedisServer) -> None:
    """A Redis that became a replica fails the check, since it refuses writes."""
    with Redis.from_url(own_redis.url) as redis:
        redis.execute_command("REPLICAOF", "127.0.0.1", "1")
        check, takes_messages = check_broker(redis, place="here:1/0")

    assert (check.state.value, takes_messages) == ("fail", False)
    assert "primary" in check.cure


def test_entries_that_were_set_aside_are_a_finding(redis_url: str) -> None:
    """The doctor reports entries that were set aside."""
    with Redis.from_url(redis_url) as redis:
        before = check_entries(redis)
        redis.rpush(UNREADABLE, b"garbage")
        after = check_entries(redis)

    assert (before.state.value, after.state.value) == ("ok", "fail")
    assert UNREADABLE in after.cure


@pytest.mark.parametrize(
    ("raw", "most"),
    [
        pytest.param(b"x", MAX_ENTRIES, id="many"),
        pytest.param(bytes(MAX_BYTES // 4), 4, id="large"),
    ],
)
def test_entries_that_are_too_many_are_counted_and_not_kept(
    own_redis: RedisServer, raw: bytes, most: int
) -> None:
    """Beyond a limit, unreadable entries are dropped and counted, and cannot fill Redis."""
    with Redis.from_url(own_redis.url) as redis:
        kept = [keep_unreadable(redis, raw) for _ in range(most + 3)]
        counted, check = read_set_aside(redis), check_entries(redis)
        redis.delete(UNREADABLE)
        has_room = keep_unreadable(redis, raw)
        redis.delete(UNREADABLE, UNREADABLE_COUNTS)
        afterwards = check_entries(redis)

    assert kept == [True] * most + [False] * 3
    assert (counted.kept, counted.dropped) == (most, 3)
    assert f"{most + 3}, 3 of them dropped" in check.sentence
    assert has_room
    assert afterwards.state.value == "ok"
