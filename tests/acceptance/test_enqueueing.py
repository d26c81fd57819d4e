"""`.delay()` as i-Reserve calls it: without Redis it fails quickly, with nothing half done."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from redis import Redis

from demo.ports import free_port
from demo.redis_server import RedisServer
from tests.stage.deployment import Deploy, HostProcess

# The longest that i-Reserve's request may wait, with some time for a slow machine.
LONGEST_S = 1.5

MESSAGE = {"message_id": "m1", "sender_name": "Jan", "sender_role": "visitor", "text": "hello"}


StartHost = Callable[[str], HostProcess]


@pytest.fixture
def start_host(deploy: Deploy, tmp_path: Path) -> StartHost:
    """A function that starts i-Reserve's process with the Redis at an address."""
    return lambda redis_url: deploy(
        tmp_path / "host", redis_url=redis_url, database_url="sqlite://"
    ).start_host()


@pytest.mark.measures_time
def test_refused_redis_fails_quickly(start_host: StartHost) -> None:
    """If no server listens, `.delay()` raises OperationalError quickly."""
    host = start_host(f"redis://127.0.0.1:{free_port()}/0")

    answer = host.delay("post_reply", "L1", "c1", **MESSAGE)
    assert answer["error"] == "kombu.exceptions.OperationalError"
    assert answer["seconds"] < LONGEST_S


@pytest.mark.measures_time
def test_hung_redis_fails_quickly_and_works_again_afterwards(
    start_host: StartHost, own_redis: RedisServer
) -> None:
    """If Redis hangs after a first call, `.delay()` fails quickly, and a later call succeeds."""
    host = start_host(own_redis.url)
    warm = host.delay("post_reply", "L1", "c1", **MESSAGE)
    assert own_redis.process is not None

    own_redis.process.send_signal(signal.SIGSTOP)
    hung = [host.delay("post_reply", "L1", "c1", **MESSAGE) for _ in range(2)]
    own_redis.process.send_signal(signal.SIGCONT)
    again = host.delay("post_reply", "L1", "c1", **MESSAGE)
    assert [warm["ok"], again["ok"]] == [True, True]
    assert [answer["error"] for answer in hung] == ["kombu.exceptions.OperationalError"] * 2
    assert max(answer["seconds"] for answer in hung) < LONGEST_S


@pytest.mark.measures_time
def test_cut_off_redis_fails_quickly(start_host: StartHost) -> None:
    """If packets to Redis are dropped, `.delay()` fails quickly."""
    with socket.socket() as listener:
        # A full backlog makes the kernel drop further attempts to connect.
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        blockers = [socket.socket() for _ in range(3)]
        for blocker in blockers:
            blocker.setblocking(False)
            blocker.connect_ex(("127.0.0.1", port))
        host = start_host(f"redis://127.0.0.1:{port}/0")

        answer = host.delay("post_reply", "L1", "c1", **MESSAGE)
        for blocker in blockers:
            blocker.close()
    assert answer["error"] == "kombu.exceptions.OperationalError"
    assert answer["seconds"] < LONGEST_S


def test_restarted_redis_is_used_at_the_first_call(
    start_host: StartHost, own_redis: RedisServer
) -> None:
    """After Redis was killed and started again, the next call succeeds."""
    host = start_host(own_redis.url)
    host.delay("post_reply", "L1", "c1", **MESSAGE)

    own_redis.stop(with_signal=signal.SIGKILL)
    own_redis.start()
    answer = host.delay("post_reply", "L1", "c1", **{**MESSAGE, "message_id": "m2"})

    with Redis.from_url(own_redis.url) as redis:
        waiting = redis.llen("ireserve-mattermost:lane:L1:c:c1")
    assert answer["ok"], answer
    assert waiting == 2


@pytest.mark.parametrize(
    ("kwargs", "named"),
    [
        pytest.param({**MESSAGE, "colour": "red"}, "colour", id="unknown keyword"),
        pytest.param({"sender_name": "Jan"}, "message_id", id="missing keyword"),
    ],
)
def test_wrong_keyword_fails_at_the_call(
    start_host: StartHost, redis_url: str, kwargs: dict[str, str], named: str
) -> None:
    """A wrong keyword raises TypeError at the call, and nothing is enqueued."""
    host = start_host(redis_url)

    answer = host.delay("post_reply", "L1", "c1", **kwargs)

    with Redis.from_url(redis_url) as redis:
        keys = redis.keys()
    assert answer["error"] == "builtins.TypeError"
    assert named in answer["message"]
    assert keys == []
