"""Messages that are begun together and settled together: what a death in between leaves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event

from models import DeliveryState
from tasks.lanes import Lane, LaneEntry
from tasks.outbound import batch as batch_module
from tasks.outbound.batch import Batch
from tasks.outbound.drain import drain
from tests.integration.conftest import VISITOR, Office

LANE = Lane.of_conversation("L1", "c1")


def _append(office: Office, *texts: str) -> None:
    for text in texts:
        office.append("reply", conversation_id="c1", message_id=text, text=text, **VISITOR)


def _texts(office: Office) -> list[str]:
    """Return what was posted, in the order of arrival: two can have the same creation time."""
    posts = [post for post in office.posts_sent() if post.post_id and not post.duplicate]
    return [post.message.splitlines()[-1] for post in posts if post.root_id]


class _DeadError(BaseException):
    """The worker is gone: nothing of what follows happens."""


def _half_sent(office: Office, *, sent: int) -> None:
    """Begin what is in the lane, send some of it, and die before anything is settled."""
    taken = office.runtime.lanes.take(LANE)
    assert taken is not None
    entries = [LaneEntry.load(raw) for raw in taken.heads]
    batch = Batch(office.runtime, LANE, entries, extend=taken.lock.extend)
    batch.begin()
    for entry, order in list(zip(entries, batch._orders, strict=True))[:sent]:
        batch._outcome(entry, order)
    office.runtime.lanes.let_go(taken)


@pytest.mark.parametrize("sent", [0, 1, 2, 3])
def test_batch_of_a_dead_worker_is_finished_by_the_next(office: Office, sent: int) -> None:
    """However many of three had been posted, each is there once, in order, and settled."""
    office.start()
    _append(office, "one", "two", "three")
    _half_sent(office, sent=sent)

    report = drain(office.runtime, LANE)

    assert _texts(office) == ["one", "two", "three"]
    assert str(report) == "3 sent"
    assert {state for state, _ in office.states().values()} == {"sent"}


def test_messages_behind_one_that_waits_are_given_back(office: Office) -> None:
    """Nothing of them was sent off: when the pause is over nobody has to look for them."""
    office.start()
    _append(office, "one", "two", "three")
    office.stand_in.set_fault("rate_limited", scope="posts", times=1, retry_after_s=1)

    drain(office.runtime, LANE)

    assert {key: state for key, (state, _) in office.states().items() if key != "root:1"} == {
        "reply:one": "held",
        "reply:two": "held",
        "reply:three": "held",
    }
    assert _texts(office) == []


def test_worker_that_stops_gives_back_what_it_has_not_tried(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message under way is finished and settled; those behind it wait for another worker."""
    office.start()
    _append(office, "one", "two", "three")
    create = office.runtime.clients.of(office.runtime.licences.access("L1")).create_post

    def stop_after(**fields: Any) -> Any:
        office.runtime.stopping.set()
        return create(**fields)

    client = office.runtime.clients.of(office.runtime.licences.access("L1"))
    monkeypatch.setattr(client, "create_post", stop_after, raising=False)
    drain(office.runtime, LANE)
    stopped = {key: state for key, (state, _) in office.states().items()}
    monkeypatch.undo()
    office.runtime.stopping.clear()

    drain(office.runtime, LANE)

    assert stopped == {
        "root:1": "sent",
        "reply:one": "sent",
        "reply:two": "held",
        "reply:three": "held",
    }
    assert _texts(office) == ["one", "two", "three"]


def test_same_message_twice_in_one_batch_is_sent_once(office: Office) -> None:
    """The second one is known already when its turn comes, whatever became of the first."""
    office.start()
    _append(office, "one", "two", "one", "two", "three")

    report = drain(office.runtime, LANE)

    assert _texts(office) == ["one", "two", "three"]
    assert str(report) == "3 sent, 2 known already"


def test_failed_message_does_not_stop_the_batch(office: Office) -> None:
    """What is wrong or refused fails by itself; the others of the batch are sent in order."""
    office.start()
    _append(office, "one")
    office.append("reply", conversation_id="c1", message_id="bad", text="x", sender_name="Jan")
    _append(office, "two")

    report = drain(office.runtime, LANE)

    assert _texts(office) == ["one", "two"]
    assert str(report) == "2 sent, 1 failed"
    assert office.states()["reply:bad"] == ("failed", "invalid_arguments")


@pytest.fixture
def writes(office: Office) -> Iterator[list[str]]:
    """What has been written to the worker's database: each statement's first word."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        word = statement.split()[0]
        if word in {"INSERT", "UPDATE", "DELETE"}:
            seen.append(word)

    event.listen(office.runtime.database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(office.runtime.database.engine, "before_cursor_execute", note)


def test_ten_messages_are_written_down_twice(office: Office, writes: list[str]) -> None:
    """All together before the first is sent, and all together after the last."""
    office.start()
    _append(office, *(str(number) for number in range(10)))
    writes.clear()

    drain(office.runtime, LANE)

    assert len(_texts(office)) == 10
    assert writes == ["INSERT", "UPDATE"]


def test_slow_server_does_not_put_settling_off(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was sent is in the ledger after half a second, however slow the rest of the batch is."""
    office.start()
    _append(office, "one", "two", "three")
    monkeypatch.setattr(batch_module, "SETTLE_S", 0.0)
    seen: list[dict[str, str]] = []
    client = office.runtime.clients.of(office.runtime.licences.access("L1"))
    create = client.create_post

    def look_first(**fields: Any) -> Any:
        seen.append({key: state for key, (state, _) in office.states().items()})
        return create(**fields)

    monkeypatch.setattr(client, "create_post", look_first, raising=False)

    drain(office.runtime, LANE)

    assert [states["reply:one"] for states in seen] == ["sending", "sent", "sent"]
    assert [states["reply:two"] for states in seen] == ["sending", "sending", "sent"]


def test_ledger_hears_of_what_was_posted_whatever_happens_next(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that breaks down at the second message has settled the first."""
    office.start()
    _append(office, "one", "two")
    client = office.runtime.clients.of(office.runtime.licences.access("L1"))
    create = client.create_post

    def break_down(**fields: Any) -> Any:
        if "two" in fields["message"]:
            raise _DeadError
        return create(**fields)

    monkeypatch.setattr(client, "create_post", break_down, raising=False)

    with pytest.raises(_DeadError):
        drain(office.runtime, LANE)

    assert office.states()["reply:one"] == (DeliveryState.SENT.value, None)
    assert office.states()["reply:two"] == (DeliveryState.SENDING.value, None)
