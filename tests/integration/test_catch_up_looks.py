"""Which licences get a look of catch-up, where a look begins, and what stops a look."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy import select

from demo.mattermost import ids, posting
from models import CatchUpCursor, Conversation
from tasks.replies.catch_up import collect_replies
from tasks.replies.look import wake_all
from tests.stage.channel_looks import inbox_of, look, write
from tests.stage.stage import LICENCE, Stage


@pytest.mark.parametrize(
    ("replies", "wake_ups"),
    [
        pytest.param(0, [], id="none"),
        pytest.param(51, [50, 1], id="a few"),
        pytest.param(5_000, [250] * 20, id="an outage"),
    ],
)
def test_many_replies_need_few_wake_ups(
    replies: int, wake_ups: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many replies cause few wake-ups, since a licence has few threads."""
    woken: list[list[int]] = []

    def take(ids: Sequence[int], *, licence_ids: Sequence[str]) -> bool:
        assert licence_ids == [LICENCE]
        woken.append(list(ids))
        return True

    monkeypatch.setattr("tasks.replies.look.wake_replies", take)

    wake_all(range(replies), licence_id=LICENCE)

    assert [len(ids) for ids in woken] == wake_ups
    assert [number for ids in woken for number in ids] == list(range(replies))


def test_unreadable_channel_does_not_stop_the_others(stage: Stage) -> None:
    """A channel that the server refuses does not stop the look at another channel."""
    stage.start()
    (post,) = write(stage, "one")
    with stage.runtime.database.transaction() as session:
        session.add(
            Conversation(
                licence_id=LICENCE,
                conversation_id="c0",
                channel_id="0" * 26,
                root_post_id="b" * 26,
            )
        )

    look(stage)

    assert [reply.post_id for reply in inbox_of(stage)] == [post.id]


def test_dead_server_moves_no_cursor_and_opens_the_circuit(stage: Stage) -> None:
    """A dead server opens the circuit and moves no cursor, so a later look finds the reply."""
    stage.start()
    (post,) = write(stage, "one")
    stage.stand_in.set_fault("down")
    counts = [look(stage) for _ in range(3)]
    is_open = stage.runtime.circuits.state(LICENCE).is_open
    stage.stand_in.clear_faults()
    stage.runtime.circuits.close(LICENCE)

    look(stage)

    assert (counts, is_open) == ([0, 0, 0], True)
    assert [reply.post_id for reply in inbox_of(stage)] == [post.id]


def test_collecting_starts_a_look_for_each_live_licence(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each licence that has a conversation gets a look."""
    monkeypatch.setattr("tasks.replies.catch_up.current_runtime", lambda: stage.runtime)

    before = collect_replies()
    stage.start()
    after = collect_replies()

    assert (before, after) == ("0 licences", "1 licences")


def test_cursor_is_mattermosts_time(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look moves the cursor to the newest change, as a server with another clock dates it."""
    stage.start()
    monkeypatch.setattr(posting, "now_ms", lambda: ids.now_ms() - 60_000)
    (post,) = write(stage, "one")

    look(stage)

    with stage.runtime.database.transaction() as session:
        cursor = session.scalars(select(CatchUpCursor)).one()
    assert (cursor.channel_id, cursor.since_ms) == (stage.channel_id, post.update_at_ms)
    assert post.update_at_ms < ids.now_ms() - 50_000
