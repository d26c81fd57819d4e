"""Workers begin and settle messages in batches; the next worker finishes a dead worker's batch."""

from __future__ import annotations

from typing import Any

import pytest

from ireserve_mattermost.lanes import Lane, LaneEntry
from models import DeliveryState
from tasks.outbound import batch as batch_module
from tasks.outbound.batch import Batch
from tasks.outbound.job import Head
from tests.stage.database_cost import counted
from tests.stage.stage import VISITOR, Stage, drain

LANE = Lane.of_conversation("L1", "c1")


def _append(stage: Stage, *texts: str) -> None:
    for text in texts:
        stage.append("reply", conversation_id="c1", message_id=text, text=text, **VISITOR)


def _texts(stage: Stage) -> list[str]:
    """Return the posted texts by arrival, since two posts can have the same creation time."""
    posts = [post for post in stage.posts_sent() if post.post_id and not post.duplicate]
    return [post.message.splitlines()[1] for post in posts if post.root_id]


class _DeadError(BaseException):
    """The worker has died: no later code runs."""


def _half_sent(stage: Stage, *, sent: int) -> None:
    """Begin the lane's messages, send some, and die before settling any."""
    taken = stage.runtime.lanes.take("L1", wake_id="w")
    assert taken is not None
    heads = [Head(raw, LaneEntry.load(raw)) for raw in taken.heads]
    batch = Batch(stage.runtime, LANE, heads, extend=taken.lock.extend)
    batch.begin()
    for head, message in batch._messages[:sent]:
        batch._outcome(head.entry, message)
    stage.runtime.lanes.release(taken)


@pytest.mark.parametrize("sent", [0, 1, 2, 3])
def test_batch_of_a_dead_worker_is_finished_by_the_next(stage: Stage, sent: int) -> None:
    """The next worker posts each message of a dead worker's batch once, in order."""
    stage.start()
    _append(stage, "one", "two", "three")
    _half_sent(stage, sent=sent)

    report = drain(stage.runtime, LANE)

    assert _texts(stage) == ["one", "two", "three"]
    assert str(report) == "3 sent"
    assert {state for state, _ in stage.states().values()} == {"sent"}


def test_messages_behind_one_that_waits_are_given_back(stage: Stage) -> None:
    """Messages behind a message that waits are held, so no worker looks for their posts."""
    stage.start()
    _append(stage, "one", "two", "three")
    stage.stand_in.set_fault("rate_limited", scope="posts", times=1, retry_after_s=1)

    drain(stage.runtime, LANE)

    assert {key: state for key, (state, _) in stage.states().items() if key != "root:1"} == {
        "reply:one": "held",
        "reply:two": "held",
        "reply:three": "held",
    }
    assert _texts(stage) == []


def test_worker_that_stops_gives_back_what_it_has_not_tried(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stopping worker settles its current message and leaves the others to another worker."""
    stage.start()
    _append(stage, "one", "two", "three")
    create = stage.runtime.clients.of(stage.runtime.licences.access("L1")).create_post

    def stop_after(**fields: Any) -> Any:
        stage.runtime.stopping.set()
        return create(**fields)

    client = stage.runtime.clients.of(stage.runtime.licences.access("L1"))
    monkeypatch.setattr(client, "create_post", stop_after, raising=False)
    drain(stage.runtime, LANE)
    stopped = {key: state for key, (state, _) in stage.states().items()}
    monkeypatch.undo()
    stage.runtime.stopping.clear()

    drain(stage.runtime, LANE)

    assert stopped == {
        "root:1": "sent",
        "reply:one": "sent",
        "reply:two": "held",
        "reply:three": "held",
    }
    assert _texts(stage) == ["one", "two", "three"]


def test_same_message_twice_in_one_batch_is_sent_once(stage: Stage) -> None:
    """A message that is in one batch twice is sent once."""
    stage.start()
    _append(stage, "one", "two", "one", "two", "three")

    report = drain(stage.runtime, LANE)

    assert _texts(stage) == ["one", "two", "three"]
    assert str(report) == "3 sent, 2 known already"


def test_failed_message_does_not_stop_the_batch(stage: Stage) -> None:
    """A wrong or refused message fails alone, and the others are sent in order."""
    stage.start()
    _append(stage, "one")
    stage.append("reply", conversation_id="c1", message_id="bad", text="x", sender_name="Jan")
    _append(stage, "two")

    report = drain(stage.runtime, LANE)

    assert _texts(stage) == ["one", "two"]
    assert str(report) == "2 sent, 1 failed"
    assert stage.states()["reply:bad"] == ("failed", "invalid_arguments")


def test_ten_messages_take_two_writes(stage: Stage) -> None:
    """Ten messages of one batch take two writes: an INSERT and an UPDATE of the ledger."""
    stage.start(question="Who has asked already?")
    _append(stage, *(str(number) for number in range(10)))

    with counted(stage.runtime.database) as cost:
        drain(stage.runtime, LANE)

    assert len(_texts(stage)) == 10
    assert cost.writes == ["INSERT", "UPDATE"]


def test_sent_messages_are_settled_before_the_batch_ends(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once ``SETTLE_S`` has passed, a sent message is settled before the next one is sent."""
    stage.start()
    _append(stage, "one", "two", "three")
    monkeypatch.setattr(batch_module, "SETTLE_S", 0.0)
    seen: list[dict[str, str]] = []
    client = stage.runtime.clients.of(stage.runtime.licences.access("L1"))
    create = client.create_post

    def look_first(**fields: Any) -> Any:
        seen.append({key: state for key, (state, _) in stage.states().items()})
        return create(**fields)

    monkeypatch.setattr(client, "create_post", look_first, raising=False)

    drain(stage.runtime, LANE)

    assert [states["reply:one"] for states in seen] == ["sending", "sent", "sent"]
    assert [states["reply:two"] for states in seen] == ["sending", "sending", "sent"]


def test_posted_message_is_settled_though_the_next_one_breaks(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that breaks at the second message has settled the first."""
    stage.start()
    _append(stage, "one", "two")
    client = stage.runtime.clients.of(stage.runtime.licences.access("L1"))
    create = client.create_post

    def break_down(**fields: Any) -> Any:
        if "two" in fields["message"]:
            raise _DeadError
        return create(**fields)

    monkeypatch.setattr(client, "create_post", break_down, raising=False)

    with pytest.raises(_DeadError):
        drain(stage.runtime, LANE)

    assert stage.states()["reply:one"] == (DeliveryState.SENT.value, None)
    assert stage.states()["reply:two"] == (DeliveryState.SENDING.value, None)
