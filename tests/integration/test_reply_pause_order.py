"""With a pause, a conversation's replies are told in their order, also after failures."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models import utc_now
from tests.stage.paused_replies import (
    PAUSE_S,
    end_pauses,
    open_paused,
    paused_reply,
    told_replies,
)
from tests.stage.stage import Stage
from tests.stage.thread import MirroredThread

one_database = pytest.mark.one_database


@pytest.fixture
def thread(stage: Stage) -> MirroredThread:
    """A conversation of a licence with a pause, and an i-Reserve that takes replies."""
    return open_paused(stage)


def test_later_reply_does_not_overtake_a_paused_one(thread: MirroredThread) -> None:
    """A later reply waits for an earlier paused one, even if the pause is switched off."""
    first = paused_reply(thread, "one")
    thread.change_licence(reply_pause_s=0)
    second = paused_reply(thread, "two")
    before = told_replies(thread)

    end_pauses(thread)
    thread.resolve(second.id)
    between = told_replies(thread)
    thread.resolve(second.id)

    assert before == []
    assert second.next_attempt_at >= first.next_attempt_at
    assert [told[3] for told in between] == ["one"]
    assert [told[3] for told in told_replies(thread)] == ["two"]


@one_database
def test_reply_of_a_dead_worker_is_woken_by_the_one_behind_it(thread: MirroredThread) -> None:
    """A later reply makes a dead worker's earlier reply due at once."""
    first, second = paused_reply(thread, "one"), paused_reply(thread, "two")
    end_pauses(thread)
    thread.change(first.id, next_attempt_at=utc_now() + timedelta(minutes=5))

    thread.resolve(second.id)
    between = told_replies(thread)
    thread.resolve(second.id)

    assert [told[3] for told in between] == ["one"]
    assert [told[3] for told in told_replies(thread)] == ["two"]


@one_database
def test_reply_that_is_recorded_and_not_told_holds_up_the_next(thread: MirroredThread) -> None:
    """A recorded reply that was not told delays the next until the sweep tells it."""
    first, second = paused_reply(thread, "one"), paused_reply(thread, "two")
    end_pauses(thread)
    thread.resolve(first.id)
    told_replies(thread)
    thread.change(first.id, pending_event="recorded", paused_until=utc_now())

    thread.resolve(second.id)
    between = told_replies(thread)
    thread.resolve(first.id, second.id)

    assert between == []
    assert [told[3] for told in told_replies(thread)] == ["one", "two"]


@one_database
def test_post_that_no_worker_has_seen_holds_up_the_replies_behind_it(
    thread: MirroredThread,
) -> None:
    """With a pause, an unresolved earlier post delays later replies."""
    unseen = thread.receive(thread.say("one").id)
    second = paused_reply(thread, "two")
    thread.change(unseen, received_at=second.received_at - timedelta(seconds=PAUSE_S))
    end_pauses(thread)

    thread.resolve(second.id)
    between = told_replies(thread)
    thread.resolve(second.id)

    assert [told[3] for told in between] == ["one"]
    assert [told[3] for told in told_replies(thread)] == ["two"]


@pytest.mark.parametrize("is_given_up", [False, True], ids=["refused", "given up"])
@one_database
def test_reply_that_cannot_be_recorded_holds_up_no_other(
    thread: MirroredThread, is_given_up: bool
) -> None:
    """A reply that cannot be recorded delays no other."""
    first, second = paused_reply(thread, "one"), paused_reply(thread, "two")
    end_pauses(thread)
    if is_given_up:
        thread.give_up(first.id)
    else:
        with thread.fault("unauthorized", times=1):
            thread.resolve(first.id)

    thread.resolve(second.id)

    assert told_replies(thread) == [("recorded", 1, "public", "two")]


@one_database
def test_other_conversations_do_not_wait(thread: MirroredThread) -> None:
    """Replies wait only for earlier ones of the same conversation."""
    paused_reply(thread, "one")
    thread.change_licence(reply_pause_s=0)
    thread.stage.start("c2")
    root = [post for post in thread.stage.channel_posts() if not post.root_id][-1]
    member = thread.stage.member()
    post = member.create_post(channel_id=root.channel_id, root_id=root.id, message="two")

    thread.recorded(post)

    assert told_replies(thread) == [("recorded", 1, "public", "two")]


@one_database
def test_reply_does_not_wait_for_itself(thread: MirroredThread) -> None:
    """A reply does not wait for itself, even if its post's time has changed."""
    row = paused_reply(thread, "one")
    thread.change(row.id, posted_at=utc_now() - timedelta(hours=1))
    end_pauses(thread)

    thread.resolve(row.id)

    assert told_replies(thread) == [("recorded", 1, "public", "one")]
