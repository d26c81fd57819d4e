"""The sweep: what breaks one part of it costs neither the others nor the alarm."""

from __future__ import annotations

import pytest
from redis import Redis

from ireserve_mattermost.lanes import PREFIX, WAITING
from tasks.sweep import SweepFailedError, sweep_once
from tasks.watch.signs import last_sweep_at
from tests.stage.stage import VISITOR, Stage


def test_part_that_breaks_does_not_stop_the_others(stage: Stage) -> None:
    """Lanes are woken though the probes cannot be read, and the sweep does not count as run."""
    lane = stage.append("reply", conversation_id="c1", message_id="m1", text="x", **VISITOR)
    with Redis.from_url(stage.runtime.settings.redis_url) as redis:
        redis.set(f"{PREFIX}circuits", "garbage")
        redis.zadd(WAITING, {str(lane): 1})

        with pytest.raises(SweepFailedError, match="servers probed"):
            sweep_once(stage.runtime)

        # A lane that was woken is passed over by the next sweeps.
        assert redis.zscore(WAITING, str(lane)) != 1
    assert last_sweep_at(stage.runtime.redis) is None


def test_sweep_that_came_to_its_end_is_noted(stage: Stage) -> None:
    """This is what the doctor and the alarm go by."""
    report = sweep_once(stage.runtime)

    assert report == "0 servers probed, 0 lanes woken, 0 replies woken"
    assert last_sweep_at(stage.runtime.redis) is not None
