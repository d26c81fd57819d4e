"""A server that is away or asks for a pause: messages wait, others do not notice, all goes on."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import update

from models import Licence
from tasks.lanes import Lane
from tasks.licences import circuit
from tasks.runtime import Runtime, build_runtime
from tests.integration.conftest import Office
from tests.waiting import wait_until

LANE = Lane.of_conversation("L1", "c1")


@pytest.fixture(autouse=True)
def _fresh_circuit_state(monkeypatch: pytest.MonkeyPatch) -> None:
    # What a worker remembers for a second would make each test wait for as long.
    monkeypatch.setattr(circuit, "CACHE_S", 0.0)


def _break_the_server(office: Office) -> None:
    office.stand_in.set_fault("down")
    for number in range(circuit.FAILURES_TO_OPEN):
        office.notify(notification_id=f"broken-{number}")


def _restarted(office: Office, **changes: object) -> Office:
    settings = office.runtime.settings.model_copy(update=changes)
    office.runtime.database.dispose()
    office.runtime = build_runtime(settings, threads=4)
    return office


def test_third_failure_opens_the_circuit_and_messages_wait(office: Office) -> None:
    """After three failures in a row nothing more is sent; the messages stay in their lanes."""
    office.start()
    _break_the_server(office)
    # A connection that is cut is looked after; the post did not arrive, the rows say so.
    office.stand_in.clear_faults()
    sent_before = len(office.posts_sent())

    report = office.reply("m1", "patience")

    assert str(report) == "1 waiting"
    assert len(office.posts_sent()) == sent_before
    assert "reply:m1" not in office.states()


def test_probe_closes_the_circuit_and_what_waited_is_sent_in_order(office: Office) -> None:
    """Once the server answers the probe, the lane is drained in its order."""
    office.start()
    _break_the_server(office)
    office.reply("m1", "first")
    office.reply("m2", "second")
    office.stand_in.clear_faults()

    office.runtime.circuits.close("L1")
    office.drain(LANE)

    assert [post.message.splitlines()[-1] for post in office.channel_posts()[1:]] == [
        "first",
        "second",
    ]


def test_message_that_waited_too_long_fails_and_keeps_its_payload(office: Office) -> None:
    """A message waits for HOLD_S at most."""
    office.start()
    _break_the_server(office)
    office.reply("m1", "too late")
    _restarted(office, hold_s=0)

    report = office.drain(LANE)

    assert [settled.reason for _, settled in report.failed] == ["unreachable"]
    row = next(row for row in office.ledger() if row.key == "reply:m1")
    assert row.payload is not None


def test_open_circuit_is_one_licences_trouble(office: Office) -> None:
    """Another licence's circuit stays closed."""
    _break_the_server(office)

    assert office.runtime.circuits.state("L1").is_open
    assert not office.runtime.circuits.state("L2").is_open


def test_one_success_forgets_the_failures_before_it(office: Office) -> None:
    """Only failures in a row open the circuit."""
    for number in range(2):
        office.stand_in.set_fault("down", scope="posts", times=1)
        office.notify(notification_id=f"broken-{number}")
    office.notify(notification_id="fine")
    office.stand_in.set_fault("down", scope="posts", times=1)
    office.notify(notification_id="broken-again")

    assert not office.runtime.circuits.state("L1").is_open


def test_other_workers_know_of_an_open_circuit(office: Office) -> None:
    """The state is in Redis, not in the process that found it out."""
    _break_the_server(office)

    other = build_runtime(office.runtime.settings)

    assert other.circuits.state("L1").is_open
    other.database.dispose()


def test_probes_are_handed_out_once_each_interval(office: Office) -> None:
    """Two sweeps at the same time probe a server once."""
    _break_the_server(office)
    circuits = office.runtime.circuits

    early = circuits.take_due_probes()
    _make_probe_due(office.runtime)
    due = [circuits.take_due_probes(), circuits.take_due_probes()]

    assert (early, due) == ([], [["L1"], []])


def _make_probe_due(runtime: Runtime) -> None:
    runtime.circuits._redis.zadd("ireserve-mattermost:circuits", {"L1": 0})


def test_rate_limited_message_waits_as_long_as_it_is_told(office: Office) -> None:
    """A 429 is no failure: the message waits and is then sent, and nothing is sent meanwhile."""
    office.start()
    office.stand_in.set_fault("rate_limited", scope="posts", times=1, retry_after_s=1)

    first = office.reply("m1", "patience")
    second = office.reply("m2", "me too")
    held = office.states()["reply:m1"]
    wait_until(
        lambda: not office.runtime.circuits.state("L1").blocks(time.time()), what="the pause's end"
    )
    third = office.drain(LANE)

    assert (str(first), str(second), str(third)) == ("1 waiting", "1 waiting", "2 sent")
    assert held == ("held", "rate_limited")
    assert len(office.channel_posts()) == 3


def test_held_lane_is_not_woken_before_its_time(office: Office) -> None:
    """The sweep passes over a lane that waits for the end of a pause."""
    office.stand_in.set_fault("rate_limited", scope="posts", times=1, retry_after_s=60)
    office.start()

    now_ms = office.runtime.lanes.now_ms()

    assert office.runtime.lanes.due(until_ms=now_ms, limit=10) == []
    assert office.runtime.lanes.due(until_ms=now_ms + 60_000, limit=10) == [LANE]


def test_unreachable_server_is_told_as_such(office: Office) -> None:
    """Nobody listens at the address: the request was never sent, and nothing need be looked for."""
    with office.runtime.database.transaction() as session:
        session.execute(update(Licence).values(server_url="http://127.0.0.1:1"))

    office.reply("m1", "hello")

    assert office.states() == {
        "reply:m1": ("failed", "unreachable"),
        "root:1": ("failed", "unreachable"),
    }


def test_late_answer_does_not_close_an_open_circuit(office: Office) -> None:
    """It is to a request from before the outage; only a probe says that the server is back."""
    _break_the_server(office)

    office.runtime.circuits.note("L1", None)

    assert office.runtime.circuits.state("L1").is_open
