"""Locks for work that only one worker at a time may do."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from redis import Redis

from ireserve_mattermost import locks as locks_module
from ireserve_mattermost.locks import HeldLock, LockLostError
from tasks.locks import Locks


@pytest.mark.parametrize(
    "lock_of",
    [
        pytest.param(lambda locks: locks.of_reply("L1", "p1"), id="reply"),
        pytest.param(lambda locks: locks.of_catch_up("L1"), id="catch-up"),
        pytest.param(lambda locks: locks.of_retention(), id="retention"),
    ],
)
def test_lock_is_one_workers_until_it_is_released(
    redis: Redis, lock_of: Callable[[Locks], AbstractContextManager[HeldLock | None]]
) -> None:
    """A second worker is refused the lock at once, and gets it after its release."""
    locks = Locks(redis)

    with lock_of(locks) as mine, lock_of(locks) as theirs:
        assert mine is not None
        assert theirs is None

    with lock_of(locks) as again:
        assert again is not None


def test_locks_of_different_things_are_different(redis: Redis) -> None:
    """Locks of different replies, licences and kinds differ, even if an id has colons."""
    locks = Locks(redis)

    with (
        locks.of_reply("L1", "p1") as one,
        locks.of_reply("L1", "p2") as two,
        locks.of_reply("L1:r", "p1") as three,
        locks.of_reply("L1", "r:p1") as four,
        locks.of_catch_up("L1") as five,
    ):
        assert None not in {one, two, three, four, five}


def test_lock_that_ran_out_is_noticed_at_its_extension(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Extending an expired lock fails and leaves the next worker's lock alone."""
    monkeypatch.setattr(locks_module, "FRESH_S", 0.0)
    locks = Locks(redis)

    with locks.of_reply("L1", "p1") as lost:
        redis.delete(*redis.keys("ireserve-mattermost:lock:*"))
        with locks.of_reply("L1", "p1") as taken_over:
            assert lost is not None
            with pytest.raises(LockLostError):
                lost.extend()
            lost.release()
            assert taken_over is not None
            taken_over.extend()
