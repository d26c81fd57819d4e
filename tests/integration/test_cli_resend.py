"""An operator sends failed messages again: in their order, once, and only what can be sent."""

from __future__ import annotations

import json

import pytest
from redis import Redis
from sqlalchemy import select

from ireserve_mattermost.lanes import Lane
from models import User
from tasks.failures import MAY_HAVE_ARRIVED, NOT_KNOWN_YET
from tasks.outbound.resending import LaneBusyError, lock_lane
from tests.operators import Operator
from tests.stage.failed_messages import change, fail, id_of
from tests.stage.stage import LICENCE, Stage, drain


def drain_lane(stage: Stage, conversation_id: str = "c1") -> None:
    """Drain the lane as the woken worker does."""
    drain(stage.runtime, Lane.of_conversation(LICENCE, conversation_id))


def texts(stage: Stage) -> list[str]:
    """Return the first text line of each post in the channel, without the roots."""
    return [post.message.splitlines()[1] for post in stage.channel_posts() if post.root_id]


def test_message_that_is_sent_again_is_posted_behind_newer_ones(
    stage: Stage, operator: Operator
) -> None:
    """A resent message is posted after newer ones, and its payload is removed."""
    stage.start()
    fail(stage, "m1")
    stage.reply("m2", "newer")

    answer = operator.json("resend", LICENCE, str(id_of(stage, "reply:m1")), "--yes")
    drain_lane(stage)

    assert answer == {"resent": [id_of(stage, "reply:m1")], "left": []}
    assert texts(stage) == ["newer", "text of m1"]
    assert stage.states()["reply:m1"] == ("sent", None)
    assert [row.payload for row in stage.ledger() if row.payload] == []


def test_message_that_arrived_after_all_is_not_posted_twice(
    stage: Stage, operator: Operator
) -> None:
    """Before resending, the worker looks for the message's key in Mattermost."""
    # Mattermost itself refuses a duplicate only for 30 s; an operator resends later.
    stage.stand_in.set_options(PendingPostTtlS=0.0)
    stage.start()
    stage.reply("m1", "arrived")
    payload = {
        "licence_id": LICENCE,
        "conversation_id": "c1",
        "message_id": "m1",
        "text": "arrived",
        "sender_name": "Jan",
        "sender_role": "visitor",
    }
    change(stage, "reply:m1", state="failed", reason="timeout", payload=payload)

    operator.json("resend", LICENCE, str(id_of(stage, "reply:m1")), "--yes")
    drain_lane(stage)

    assert texts(stage) == ["arrived"]
    assert stage.states()["reply:m1"] == ("sent", None)


@pytest.mark.parametrize(
    ("reason", "detail", "claims"),
    [
        pytest.param("invalid_arguments", "text: must be text", False, id="refused before"),
        pytest.param(
            "unreachable", "the server was away for all of the 600 s", False, id="waited too long"
        ),
        pytest.param("unreachable", "no connection to the server", False, id="no connection"),
        pytest.param("tls_failed", "its certificate is not trusted", False, id="no trust"),
        pytest.param("timeout", "the answer was lost", True, id="sent off"),
        pytest.param(
            "unreachable",
            f"no connection. {NOT_KNOWN_YET} It waited too long.",
            True,
            id="in doubt",
        ),
        pytest.param(
            "licence_disabled", f"it is disabled. {MAY_HAVE_ARRIVED}", True, id="broken off before"
        ),
    ],
)
def test_a_message_is_said_to_have_arrived_perhaps_only_if_it_was_sent_off(
    stage: Stage, operator: Operator, reason: str, detail: str, claims: bool
) -> None:
    """The ledger says that a message may have arrived only if the message was sent before."""
    stage.start()
    stage.reply("m1", "fails", sender_role="boss")
    change(stage, "reply:m1", reason=reason, detail=detail)

    operator.json("resend", LICENCE, "--yes")
    drain_lane(stage)

    (row,) = [row for row in stage.ledger() if row.key == "reply:m1"]
    assert (row.state.value, row.reason) == ("failed", "invalid_arguments")
    assert (MAY_HAVE_ARRIVED in (row.detail or "")) == claims
    # This sentence follows the end of another sentence.
    assert (f". {MAY_HAVE_ARRIVED}" in (row.detail or "")) == claims


def test_messages_of_a_licence_are_sent_again_in_their_order(
    stage: Stage, operator: Operator
) -> None:
    """A licence's messages are resent in their original order, in each conversation."""
    stage.start()
    stage.start("c2")
    fail(stage, "m1", "m2", "m3")
    fail(stage, "n1", conversation_id="c2")

    answer = operator.json("resend", LICENCE, "--since", "1h", "--yes")
    drain_lane(stage)
    drain_lane(stage, "c2")

    assert answer["resent"] == sorted(answer["resent"])
    assert len(answer["resent"]) == 4
    assert texts(stage) == ["text of m1", "text of m2", "text of m3", "text of n1"]
    assert operator.json("failed") == {"failed": []}


def test_each_lane_is_woken_once(stage: Stage, operator: Operator, redis_url: str) -> None:
    """Resending several messages of a lane wakes one worker."""
    stage.start()
    fail(stage, "m1", "m2", "m3")

    operator.json("resend", LICENCE, "--yes")

    with Redis.from_url(redis_url) as redis:
        tasks = [json.loads(raw)["headers"]["task"] for raw in redis.lrange("mattermost", 0, -1)]
    assert tasks == ["mattermost.drain_licence"]


def test_failed_root_post_and_notification_are_sent_again(stage: Stage, operator: Operator) -> None:
    """A failed root post and a failed notification go back into their lanes and are sent."""
    stage.stand_in.set_fault("plugin_rejection", scope="posts", times=2)
    stage.start()
    stage.notify(text="a booking")

    answer = operator.json("resend", LICENCE, "--yes")
    drain_lane(stage)
    drain(stage.runtime, Lane.of_notifications(LICENCE, "booking"))

    assert len(answer["resent"]) == 2
    assert {state for state, _ in stage.states().values()} == {"sent"}
    assert len(stage.channel_posts()) == 2


def test_change_of_a_user_is_made_again(stage: Stage, operator: Operator) -> None:
    """A failed change of a user is made again, and leaves the ledger."""
    lane = stage.append("user", user_id="u1", email="jan@example.com", name="Jan")
    wrong = stage.append("user", user_id="u2", email="jan", name="Jan")
    drain(stage.runtime, lane)
    (row,) = stage.ledger()
    change(stage, row.key, payload={**(row.payload or {}), "email": "some@example.com"})

    operator.json("resend", LICENCE, str(row.id), "--yes")
    drain(stage.runtime, wrong)

    with stage.runtime.database.transaction() as session:
        emails = sorted(session.scalars(select(User.email)))
    assert emails == ["jan@example.com", "some@example.com"]
    assert stage.ledger() == []


def test_message_whose_text_was_forgotten_is_named_and_left(
    stage: Stage, operator: Operator
) -> None:
    """A message without payload is named, the others are sent, and the exit code is 1."""
    stage.start()
    fail(stage, "m1", "m2")
    old, good = id_of(stage, "reply:m1"), id_of(stage, "reply:m2")
    operator.json("discard", LICENCE, str(old), "--yes")

    answer = operator.json("resend", LICENCE, str(good), str(old), "999999", "--yes", exit_code=1)

    assert answer == {
        "resent": [good],
        "left": [
            {"id": old, "why": "its payload was forgotten: enqueue it in i-Reserve again"},
            {"id": 999999, "why": f"there is no such message of licence {LICENCE!r}"},
        ],
    }


def test_message_that_was_sent_cannot_be_sent_again(stage: Stage, operator: Operator) -> None:
    """A sent message cannot be resent, and its state is named."""
    stage.start()

    answer = operator.json("resend", LICENCE, str(id_of(stage, "root:1")), "--yes", exit_code=1)

    assert answer["left"][0]["why"] == "it has not failed: it is sent"


def test_nothing_is_sent_when_the_operator_says_no(stage: Stage, operator: Operator) -> None:
    """The question names the number of messages, and without an answer nothing is sent."""
    stage.start()
    fail(stage, "m1")

    result = operator.run("resend", LICENCE, stdin="\n")

    assert result.exit_code == 1
    assert "Send 1 message again" in result.output
    assert stage.states()["reply:m1"] == ("failed", "rejected_by_plugin")


def test_command_and_worker_never_hold_the_same_lane(stage: Stage) -> None:
    """A command cannot lock a lane that a worker holds, and no worker gets a locked lane."""
    lane = Lane.of_conversation(LICENCE, "c1")

    with stage.runtime.lanes.try_lock(lane) as lock:
        assert lock is not None
        with (
            pytest.raises(LaneBusyError, match="a worker is sending"),
            lock_lane(stage.runtime.lanes, lane, wait_s=0.1),
        ):
            raise AssertionError("the lane was locked twice")

    with (
        lock_lane(stage.runtime.lanes, lane, wait_s=0.1),
        stage.runtime.lanes.try_lock(lane) as other,
    ):
        assert other is None
