"""The metrics of the installation: its processes, their regular work, Redis and the queues."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from inbound.metrics import OwnSettings
from ireserve_mattermost.unreadable import keep_unreadable
from ireserve_mattermost.wake_ups import QUEUE
from tasks.replies.unowned_files import write_down
from tasks.watch import redis_clock
from tasks.watch.last_sweeps import note_sweep
from tasks.watch.processes import PROCESSES, ProcessKind, note_process
from tasks.watch.removals import Removable, note_removed, note_run
from tests.stage.scraper import Scraper
from tests.stage.stage import LICENCE, Stage


def test_sweep_says_when_it_ran_last(stage: Stage, scraper: Scraper) -> None:
    """The metric is 0 before the first sweep, and then the time of the last sweep."""
    before = scraper.read("sweep_last_run_timestamp_seconds")
    note_sweep(stage.runtime.redis)

    after = scraper.read("sweep_last_run_timestamp_seconds")

    assert before == {(): 0}
    assert abs(after[()] - time.time()) < 60


def test_retention_says_what_it_removed_and_when_it_ran(stage: Stage, scraper: Scraper) -> None:
    """Retention's counters begin with 0, and a gauge counts the files still to be removed."""
    before = scraper.read("removed_total"), scraper.read("retention_last_run_timestamp_seconds")
    note_removed(stage.runtime.redis, Removable.REPLIES, 3)
    note_run(stage.runtime.redis)
    with stage.runtime.database.autocommit() as connection:
        write_down(connection, licence_id=LICENCE, post_id="p1", paths=["L1/c1/f1"])

    after = scraper.read("removed_total")
    ran_at = scraper.read("retention_last_run_timestamp_seconds")[()]

    nothing = {(kind.value,): 0.0 for kind in Removable}
    assert before == (nothing, {(): 0})
    assert after == {**nothing, ("replies",): 3.0}
    assert abs(ran_at - time.time()) < 60
    assert scraper.read("files_to_remove") == {(): 1}


@pytest.mark.one_database
def test_processes_are_counted_as_long_as_they_show(stage: Stage, scraper: Scraper) -> None:
    """Processes with a heartbeat in the last 30 s are counted, beginning with 0."""
    redis = scraper.redis
    before = scraper.read("processes")
    note_process(redis, ProcessKind.WORKER, "w1")
    note_process(redis, ProcessKind.WORKER, "w2")
    note_process(redis, ProcessKind.BEAT, "b")
    all_there = scraper.read("processes")
    redis.zincrby(PROCESSES, -31_000, "worker:w2")

    assert before == {("beat",): 0, ("worker",): 0}
    assert all_there == {("beat",): 1, ("worker",): 2}
    assert scraper.read("processes") == {("beat",): 1, ("worker",): 1}


@pytest.mark.one_database
def test_full_redis_is_told(stage: Stage, scraper: Scraper) -> None:
    """A full Redis is not up, and its memory and limit are shown."""
    redis = scraper.redis
    before = scraper.read("up")["broker",], scraper.read("redis_memory_limit_bytes")[()]
    redis.config_set("maxmemory", 1_000)
    try:
        full = scraper.read("up"), scraper.read("redis_memory_used_bytes")[()]
        limit = scraper.read("redis_memory_limit_bytes")[()]
    finally:
        redis.config_set("maxmemory", 0)

    assert before == (1, 0)
    assert full[0] == {("broker",): 0, ("database",): 1}
    assert full[1] > limit == 1_000


@pytest.mark.one_database
def test_what_was_set_aside_and_is_queued_is_counted(stage: Stage, scraper: Scraper) -> None:
    """The metrics count the entries that were set aside, and the Celery messages in our queue."""
    keep_unreadable(stage.runtime.redis, b"nonsense")
    scraper.redis.lpush(QUEUE, "a", "b")

    assert scraper.read("entries_set_aside") == {(): 1}
    assert scraper.read("queue_messages") == {(): 2}


def test_messages_that_i_reserve_has_not_taken_are_counted(scraper: Scraper) -> None:
    """If i-Reserve's task has a queue, the messages that wait in it are counted."""
    scraper.redis.lpush("i-reserve", "a", "b")
    without = scraper.read("reply_queue_messages")

    scraper.settings = OwnSettings(reply_queue="i-reserve")

    assert (without, scraper.read("reply_queue_messages")) == ({(): 0}, {(): 2})


@pytest.mark.one_database
def test_settings_without_effect_are_counted(scraper: Scraper) -> None:
    """The metrics count the settings that do nothing."""
    before = scraper.read("settings_without_effect")

    scraper.settings = OwnSettings(without_effect=1)

    assert (before, scraper.read("settings_without_effect")) == ({(): 0}, {(): 1})


@pytest.mark.one_database
def test_difference_of_redis_clock_is_shown(
    scraper: Scraper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The metrics show by how many seconds Redis' clock and ours differ."""
    before = scraper.read("redis_clock_apart_seconds")[()]
    ahead = SimpleNamespace(time=lambda: time.time() + 3_600)
    monkeypatch.setattr(redis_clock, "time", ahead)

    after = scraper.read("redis_clock_apart_seconds")[()]

    assert before < 60
    assert abs(after - 3_600) < 60
