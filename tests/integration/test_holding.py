"""While a server is away or asks for a pause, its messages wait and others go on."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import update

from ireserve_mattermost.lanes import PREFIX, Lane
from models import Licence
from tasks.licences import circuit
from tasks.runtime import Runtime, build_runtime
from tests.stage.stage import Stage
from tests.waiting import wait_until

pytestmark = [pytest.mark.one_database, pytest.mark.usefixtures("fresh_circuits")]

LANE = Lane.of_conversation("L1", "c1")


def _break_the_server(stage: Stage) -> None:
    stage.stand_in.set_fault("down")
    for number in range(circuit.FAILURES_TO_OPEN):
        stage.notify(notification_id=f"broken-{number}")


def _restart(stage: Stage, **changes: object) -> None:
    settings = stage.runtime.settings.model_copy(update=changes)
    stage.runtime.database.dispose()
    stage.runtime = build_runtime(settings, threads=4)


def test_third_failure_opens_the_circuit_and_messages_wait(stage: Stage) -> None:
    """After three failures in a row nothing is sent, and messages stay in their lanes."""
    stage.start()
    _break_the_server(stage)
    # The server answers again, but an open circuit stays open until a probe.
    stage.stand_in.clear_faults()
    sent_before = len(stage.posts_sent())

    report = stage.reply("m1", "patience")

    assert str(report) == "1 waiting"
    assert len(stage.posts_sent()) == sent_before
    assert "reply:m1" not in stage.states()


def test_closed_circuit_lets_what_waited_be_sent_in_order(stage: Stage) -> None:
    """When the circuit is closed again, the waiting messages are sent in order."""
    stage.start()
    _break_the_server(stage)
    stage.reply("m1", "first")
    stage.reply("m2", "second")
    stage.stand_in.clear_faults()

    stage.runtime.circuits.close("L1")
    stage.drain(LANE)

    assert [post.message.splitlines()[-1] for post in stage.channel_posts()[1:]] == [
        "first",
        "second",
    ]


def test_message_that_waited_too_long_fails_and_keeps_its_payload(stage: Stage) -> None:
    """A message that waits longer than HOLD_S fails and keeps its payload."""
    stage.start()
    _break_the_server(stage)
    stage.reply("m1", "too late")
    _restart(stage, hold_s=0)

    report = stage.drain(LANE)

    assert [settled.reason for _, settled in report.failed] == ["unreachable"]
    row = next(row for row in stage.ledger() if row.key == "reply:m1")
    assert row.payload is not None


def test_open_circuit_is_one_licences_trouble(stage: Stage) -> None:
    """Another licence's circuit stays closed."""
    _break_the_server(stage)

    assert stage.runtime.circuits.state("L1").is_open
    assert not stage.runtime.circuits.state("L2").is_open


def test_one_success_forgets_the_failures_before_it(stage: Stage) -> None:
    """Only failures in a row open the circuit."""
    for number in range(2):
        stage.stand_in.set_fault("down", scope="posts", times=1)
        stage.notify(notification_id=f"broken-{number}")
    stage.notify(notification_id="fine")
    stage.stand_in.set_fault("down", scope="posts", times=1)
    stage.notify(notification_id="broken-again")

    assert not stage.runtime.circuits.state("L1").is_open


def test_other_workers_know_of_an_open_circuit(stage: Stage) -> None:
    """An open circuit is stored in Redis for all workers."""
    _break_the_server(stage)

    other = build_runtime(stage.runtime.settings)

    assert other.circuits.state("L1").is_open
    other.database.dispose()


def test_probes_are_handed_out_once_each_interval(stage: Stage) -> None:
    """Of two sweeps within an interval, only the first sends a probe."""
    _break_the_server(stage)
    circuits = stage.runtime.circuits

    early = circuits.take_due_probes()
    _make_probe_due(stage.runtime)
    due = [circuits.take_due_probes(), circuits.take_due_probes()]

    assert (early, due) == ([], [["L1"], []])


def _make_probe_due(runtime: Runtime) -> None:
    runtime.circuits._redis.zadd("ireserve-mattermost:circuits", {"L1": 0})


def test_rate_limited_message_waits_as_long_as_it_is_told(stage: Stage) -> None:
    """After a 429 nothing is sent for the requested time, and then both messages are sent."""
    stage.start()
    stage.stand_in.set_fault("rate_limited", scope="posts", times=1, retry_after_s=1)

    first = stage.reply("m1", "patience")
    second = stage.reply("m2", "me too")
    held = stage.states()["reply:m1"]
    wait_until(
        lambda: not stage.runtime.circuits.state("L1").blocks(time.time()), what="the pause's end"
    )
    third = stage.drain(LANE)

    assert (str(first), str(second), str(third)) == ("1 waiting", "1 waiting", "2 sent")
    assert held == ("held", "rate_limited")
    assert len(stage.channel_posts()) == 3


def test_held_lane_is_not_woken_before_its_time(stage: Stage) -> None:
    """The sweep does not wake a lane before the end of its pause."""
    stage.stand_in.set_fault("rate_limited", scope="posts", times=1, retry_after_s=60)
    stage.start()

    woken = stage.runtime.lanes.revive("L1", overdue_ms=0)
    taken = stage.runtime.lanes.take("L1", wake_id="w")
    stage.runtime.redis.hdel(f"{PREFIX}circuit:L1", "paused_until")
    woken_afterwards = stage.runtime.lanes.revive("L1", overdue_ms=0)

    assert (woken, taken, woken_afterwards) == (0, None, 1)
    assert stage.runtime.lanes.waiting_of("L1") == [LANE]


def test_unreachable_server_is_told_as_such(stage: Stage) -> None:
    """If no server listens, the request was not sent, and no post is looked for."""
    with stage.runtime.database.transaction() as session:
        session.execute(update(Licence).values(server_url="http://127.0.0.1:1"))

    stage.reply("m1", "hello")

    assert stage.states() == {
        "reply:m1": ("failed", "unreachable"),
        "root:1": ("failed", "unreachable"),
    }


def test_late_answer_does_not_close_an_open_circuit(stage: Stage) -> None:
    """A late answer, which may be from before the outage, does not close the circuit."""
    _break_the_server(stage)

    stage.runtime.circuits.note("L1", None)

    assert stage.runtime.circuits.state("L1").is_open
