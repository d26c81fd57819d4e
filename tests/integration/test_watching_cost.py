"""The cost of status and metrics does not grow with the tables."""

from __future__ import annotations

import re
from typing import Any

import pytest
from redis import Redis

from inbound.metrics import Figures
from tasks.cli.status import read_status
from tests.stage.plans import plans, watched
from tests.stage.stage import LICENCE, Stage

# A whole scan of a table with a row for each message.
LARGE = re.compile(r"\bSCAN (?:deliveries|replies)\b(?! USING (?:COVERING )?INDEX (\w+))")
# The indexes of these tables that have few rows. Scanning one is cheap.
FEW = {"ix_deliveries_failed", "ix_replies_open"}
SCANNED = re.compile(r"\bSCAN (?:deliveries|replies) USING (?:COVERING )?INDEX (\w+)")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_table_of_messages_is_read_as_a_whole(stage: Stage) -> None:
    """Status and metrics read no whole table of messages, but use small indexes."""
    runtime = stage.runtime
    engine = runtime.database.engine
    with watched(engine) as statements:
        with runtime.database.snapshot() as session:
            (status,) = read_status(session, runtime.redis, None)
        families = list(Figures(lambda: runtime.database, lambda: runtime.redis).collect())

    found = plans(engine, statements)

    assert [plan for plan in found if LARGE.search(plan)] == []
    assert {index for plan in found for index in SCANNED.findall(plan)} <= FEW
    assert (status.licence, len(found) > 8, len(families) > 10) == (LICENCE, True, True)


@pytest.mark.one_database
def test_status_has_what_was_counted(stage: Stage) -> None:
    """An emptied Redis resets the counters in the status, but not the failures of the ledger."""
    stage.start()
    stage.reply("m1", "one")
    stage.stand_in.set_fault("plugin_rejection", scope="posts", times=1)
    stage.reply("m2", "two")

    before = _status(stage)
    stage.runtime.redis.flushall()
    after = _status(stage)

    assert (before.mirrored, before.failed, before.last_out_at is None) == (1, 1, False)
    assert (after.mirrored, after.failed, after.last_out_at) == (0, 1, None)


def _status(stage: Stage) -> Any:
    redis: Redis = stage.runtime.redis
    with stage.runtime.database.snapshot() as session:
        (found,) = read_status(session, redis, LICENCE)
    return found
