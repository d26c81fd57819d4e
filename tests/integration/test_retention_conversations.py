"""Retention removes an old conversation with all that it has, unless something in it is open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import update

from ireserve_mattermost.lanes import Lane
from models import Conversation, Delivery, Reply, utc_now
from tasks.privacy.retention import remove_files, remove_rows
from tasks.replies.backoff import GIVEN_UP
from tasks.watch.removals import Removable
from tests.stage.old_data import make_old, row_count, stored_files
from tests.stage.stage import LICENCE
from tests.stage.thread import CONVERSATION, MirroredThread

LANE = Lane.of_conversation(LICENCE, CONVERSATION)


def test_old_conversation_goes_with_replies_and_files_and_a_young_one_stays(
    thread: MirroredThread,
) -> None:
    """An old conversation is removed with its replies and files, and its deliveries stay."""
    thread.stage.reply("m1", "hello")
    thread.recorded(thread.say("hello", file_ids=thread.upload(b"x")))
    make_old(thread)
    thread.stage.start("c2")
    thread.configure(retention_conversations_days=365)

    done = remove_rows(thread.stage.runtime)
    files = remove_files(thread.stage.runtime)

    assert (done, files) == ({Removable.CONVERSATIONS: 1}, 1)
    assert thread.stage.conversation().conversation_id == "c2"
    assert sorted(row.key for row in thread.stage.ledger()) == ["reply:m1", "root:1"]
    assert (row_count(thread, Reply), stored_files(thread)) == (0, [])


def test_conversation_with_more_replies_than_a_step_has_rows_goes_whole(
    thread: MirroredThread,
) -> None:
    """Many replies are removed in several steps, and their conversation in the last one."""
    for number in range(45):
        thread.recorded(thread.say(f"reply {number}"))
    make_old(thread)
    thread.configure(retention_conversations_days=365)

    done = remove_rows(thread.stage.runtime)

    assert done == {Removable.CONVERSATIONS: 1}
    assert (row_count(thread, Conversation), row_count(thread, Reply)) == (0, 0)


def _message_waits(thread: MirroredThread) -> None:
    thread.stage.append("reply", conversation_id=CONVERSATION, message_id="m1", text="waits")


def _message_is_undecided(thread: MirroredThread) -> None:
    with thread.database.transaction() as session:
        session.execute(update(Delivery).values(state="unsettled"))


def _reply_is_not_told(thread: MirroredThread) -> None:
    _change_replies(thread, pending_event="recorded")


def _reply_is_asked_for_again(thread: MirroredThread) -> None:
    _change_replies(thread, state="received", next_attempt_at=utc_now())


def _reply_of_a_thread_that_is_not_known_waits(thread: MirroredThread) -> None:
    thread.receive(thread.say("not asked for yet").id)


def _change_replies(thread: MirroredThread, **values: Any) -> None:
    with thread.database.transaction() as session:
        session.execute(update(Reply).values(**values))


@pytest.mark.parametrize(
    "opened",
    [
        _message_waits,
        _message_is_undecided,
        _reply_is_not_told,
        _reply_is_asked_for_again,
        _reply_of_a_thread_that_is_not_known_waits,
    ],
)
def test_conversation_in_which_something_is_open_stays(
    thread: MirroredThread, opened: Callable[[MirroredThread], None]
) -> None:
    """A conversation with open messages or replies stays, however old."""
    thread.recorded(thread.say("hello"))
    make_old(thread)
    opened(thread)
    replies = row_count(thread, Reply)
    thread.configure(retention_conversations_days=365)

    done = remove_rows(thread.stage.runtime)

    assert done == {Removable.CONVERSATIONS: 0}
    assert (row_count(thread, Conversation), row_count(thread, Reply)) == (1, replies)


def test_conversation_into_which_a_worker_sends_stays(thread: MirroredThread) -> None:
    """A conversation whose lane is locked stays."""
    make_old(thread)
    thread.configure(retention_conversations_days=365)

    with thread.stage.runtime.lanes.try_lock(LANE):
        done = remove_rows(thread.stage.runtime)

    assert done == {Removable.CONVERSATIONS: 0}


def test_reply_that_was_given_up_keeps_no_conversation(thread: MirroredThread) -> None:
    """A reply that was given up does not keep an old conversation."""
    thread.recorded(thread.say("hello"))
    make_old(thread)
    _change_replies(thread, state="received", next_attempt_at=GIVEN_UP)
    thread.configure(retention_conversations_days=365)

    assert remove_rows(thread.stage.runtime) == {Removable.CONVERSATIONS: 1}
