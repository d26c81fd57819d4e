"""If one part of the sweep fails, the other parts run and the alarm works."""

from __future__ import annotations

import pytest
from redis import Redis

from ireserve_mattermost.lanes import LICENCES, PREFIX
from tasks.sweep import SweepFailedError, sweep_once
from tasks.watch.last_sweeps import last_sweep_at
from tests.stage.stage import Stage

CIRCUITS = f"{PREFIX}circuits"


def test_part_that_breaks_does_not_stop_the_others(stage: Stage) -> None:
    """If licences cannot be woken, servers are still probed, and the sweep counts as failed."""
    with Redis.from_url(stage.runtime.settings.redis_url) as redis:
        redis.set(LICENCES, "garbage")
        redis.zadd(CIRCUITS, {"L1": 1})

        with pytest.raises(SweepFailedError, match="licences woken"):
            sweep_once(stage.runtime)

        # The sweep has set a later time for the server's next probe.
        assert redis.zrangebyscore(CIRCUITS, "(1", "+inf") == [b"L1"]
    assert last_sweep_at(stage.runtime.redis) is None


def test_sweep_that_came_to_its_end_is_noted(stage: Stage) -> None:
    """The time of a complete sweep is stored for doctor and alarm."""
    report = sweep_once(stage.runtime)

    done = "0 servers probed, 0 licences woken, 0 replies woken, 0 cards asked for"
    assert report == f"{done}, 0 receipts woken, 0 outcomes told"
    assert last_sweep_at(stage.runtime.redis) is not None
