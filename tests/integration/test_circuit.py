"""Each answer of a server has one meaning for its circuit, for all callers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from redis import Redis

from ireserve_mattermost.lanes import Lane
from tasks.licences import circuit
from tasks.licences.circuit import Circuits, CircuitState, Reach, reach_of
from tasks.mattermost import (
    NotSentError,
    OutcomeUnknownError,
    RateLimitedError,
    Reason,
    RefusedError,
)
from tasks.replies.catch_up import collect
from tasks.sweep import probe_server
from tests.stage.lane_entries import entry
from tests.stage.stage import LICENCE, Stage
from tests.stage.thread import MirroredThread

pytestmark = pytest.mark.usefixtures("fresh_circuits")

AWAY = NotSentError(Reason.UNREACHABLE)
PLAIN_500 = OutcomeUnknownError(Reason.SERVER_ERROR, status=500)
ANSWERS = {
    "success": (None, Reach.REACHED),
    "refused": (RefusedError(Reason.NOT_A_MEMBER, status=403), Reach.REACHED),
    "not Mattermost": (RefusedError(Reason.NOT_MATTERMOST, status=404), Reach.REACHED),
    "a plain 500": (PLAIN_500, Reach.REACHED),
    "501": (OutcomeUnknownError(Reason.SERVER_ERROR, status=501), Reach.REACHED),
    "502": (OutcomeUnknownError(Reason.SERVER_ERROR, status=502), Reach.AWAY),
    "503": (OutcomeUnknownError(Reason.SERVER_ERROR, status=503), Reach.AWAY),
    "504": (OutcomeUnknownError(Reason.SERVER_ERROR, status=504), Reach.AWAY),
    "not sent": (NotSentError(Reason.UNREACHABLE), Reach.AWAY),
    "TLS": (NotSentError(Reason.TLS_FAILED), Reach.AWAY),
    "timeout": (OutcomeUnknownError(Reason.TIMEOUT), Reach.AWAY),
    "408": (OutcomeUnknownError(Reason.TIMEOUT, status=408), Reach.AWAY),
    "cut": (OutcomeUnknownError(Reason.CONNECTION_CUT), Reach.AWAY),
    "endless": (OutcomeUnknownError(Reason.ANSWER_TOO_LARGE), Reach.AWAY),
    "429": (RateLimitedError(Reason.RATE_LIMITED, retry_after_s=60), Reach.PAUSE),
}


@pytest.mark.parametrize(("error", "reach"), ANSWERS.values(), ids=ANSWERS)
def test_answer_says_whether_the_server_was_reached(error: Exception | None, reach: Reach) -> None:
    """A refusal and a 500 mean that the server was reached; a proxy's error does not."""
    assert reach_of(error) is reach


@pytest.mark.parametrize(("error", "reach"), ANSWERS.values(), ids=ANSWERS)
def test_three_answers_in_a_row_open_the_circuit_or_leave_it_closed(
    stage: Stage, error: Exception | None, reach: Reach
) -> None:
    """Only answers that mean an unreachable server open the circuit; a 429 only pauses."""
    circuits = stage.runtime.circuits

    noted = [circuits.note(LICENCE, error) for _ in range(3)]

    state = circuits.state(LICENCE)
    assert noted == [reach] * 3
    assert state.is_open is (reach is Reach.AWAY)
    assert (state.blocked_until > 0) is (reach is not Reach.REACHED)


@pytest.mark.parametrize(
    "between", [None, PLAIN_500, RefusedError(Reason.NOT_FOUND)], ids=["success", "500", "refused"]
)
def test_answer_ends_the_row_of_failures(stage: Stage, between: Exception | None) -> None:
    """An answer between failures ends the row of failures."""
    circuits, away = stage.runtime.circuits, NotSentError(Reason.UNREACHABLE)

    for error in (away, away, between, away, away):
        circuits.note(LICENCE, error)

    assert circuits.state(LICENCE) == CircuitState(failures=2, is_open=False, blocked_until=0)


CIRCUITS = {
    "two failures": lambda circuits: [circuits.note(LICENCE, AWAY) for _ in range(2)],
    "paused": lambda circuits: circuits.pause(LICENCE, seconds=-1),
    "unused": lambda _: None,
}


@pytest.mark.parametrize("prepare", CIRCUITS.values(), ids=CIRCUITS)
def test_taken_lane_brings_its_licences_circuit(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, prepare: Callable[[Circuits], object]
) -> None:
    """A worker that has taken a lane knows the licence's circuit without asking Redis again."""
    circuits, lanes = stage.runtime.circuits, stage.runtime.lanes
    prepare(circuits)
    stored = circuits.states([LICENCE])[LICENCE]
    lanes.append(Lane.of_conversation(LICENCE, "c"), entry("a"))
    taken = lanes.take(LICENCE, wake_id="w")
    assert taken is not None
    stage.runtime.redis.flushdb()
    monkeypatch.setattr(circuit, "CACHE_S", 60.0)

    circuits.know(LICENCE, taken.circuit)

    assert circuits.state(LICENCE) == stored


def test_message_asks_redis_for_no_circuit(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker sends a message without asking Redis for the circuit, which came with the lane."""
    asked: list[str] = []
    ask = stage.runtime.circuits.states

    def states(_: Circuits, licence_ids: Sequence[str]) -> dict[str, CircuitState]:
        asked.extend(licence_ids)
        return ask(licence_ids)

    monkeypatch.setattr(Circuits, "states", states)
    monkeypatch.setattr(circuit, "CACHE_S", 60.0)

    stage.start()
    stage.reply("m1", "hello")

    assert (stage.states()["reply:m1"], asked) == (("sent", None), [])


def _notify(stage: Stage, number: int) -> None:
    stage.notify(notification_id=f"n-{number}")


def _post_reply(stage: Stage, number: int) -> None:
    stage.reply(f"m{number}", "hello")


def _catch_up(stage: Stage, _: int) -> None:
    collect(stage.runtime, LICENCE, on_page=lambda: None)


def _resolve(stage: Stage, number: int) -> None:
    thread = MirroredThread(stage)
    thread.resolve(thread.receive(f"{number}" * 26))


@pytest.mark.parametrize(
    ("call", "scope"),
    [(_notify, "posts"), (_post_reply, "posts"), (_catch_up, "all"), (_resolve, "all")],
)
def test_three_500s_leave_the_circuit_closed_and_the_next_message_is_sent(
    stage: Stage, call: Callable[[Stage, int], None], scope: str
) -> None:
    """Every caller judges a plain 500 alike: the server was reached.

    A 500 to the look for a message's post is judged otherwise: see `test_questions.py`.
    """
    stage.start()
    stage.stand_in.set_fault("error_500", scope=scope)
    for number in range(circuit.FAILURES_TO_OPEN):
        call(stage, number)
    stage.stand_in.clear_faults()

    stage.reply("later", "hello")

    assert not stage.runtime.circuits.state(LICENCE).is_open
    assert stage.states()["reply:later"] == ("sent", None)


@pytest.mark.parametrize(
    ("fault", "is_open"),
    [("down", True), ("html_502", True), ("error_500", False), ("rate_limited", False)],
)
def test_probe_closes_the_circuit_of_a_server_that_it_reaches(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, fault: str, is_open: bool
) -> None:
    """A probe judges an answer as every other call does."""
    monkeypatch.setattr("tasks.sweep.current_runtime", lambda: stage.runtime)
    for _ in range(circuit.FAILURES_TO_OPEN):
        stage.runtime.circuits.note(LICENCE, NotSentError(Reason.UNREACHABLE))
    stage.stand_in.set_fault(fault)

    probe_server(LICENCE)

    assert stage.runtime.circuits.state(LICENCE).is_open is is_open


def test_message_does_not_wait_for_a_circuit_that_another_worker_has_closed(
    stage: Stage, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lane does not wait for the next probe if another worker has closed the circuit."""
    stage.start()
    monkeypatch.setattr(circuit, "CACHE_S", 60.0)
    for _ in range(circuit.FAILURES_TO_OPEN):
        stage.runtime.circuits.note(LICENCE, NotSentError(Reason.UNREACHABLE))
    assert stage.runtime.circuits.state(LICENCE).is_open
    with Redis.from_url(redis_url) as redis:
        Circuits(redis).close(LICENCE)

    stage.reply("m1", "hello")

    assert stage.states()["reply:m1"] == ("sent", None)
