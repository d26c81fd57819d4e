"""On PostgreSQL one statement finds a conversation and begins its next message."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from ireserve_mattermost.lanes import Lane, LaneEntry
from ireserve_mattermost.messages import ChatMessage, parse_message
from models import Conversation, ConversationState, Delivery, Licence
from models.session import Database
from tasks.outbound.conversation_changes import EnqueuedMessage
from tasks.outbound.find_and_begin import find_and_begin
from tasks.outbound.ledger import NEW
from tasks.outbound.threads import Thread, changes_nothing, find_thread
from tests.stage.stage import Stage

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

LANE = Lane.of_conversation("L1", "c1")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
# What a message may change, with the values that decide whether it does.
COLUMNS: dict[str, list[Any]] = {
    "visitor_name": [None, "", "Jan"],
    "question": [None, "Is it free?"],
    "waiting_since": [None, NOW],
    "state": [None, *ConversationState],
}
SENDERS = [
    *({"sender_role": role} for role in ("visitor", "agent", "bot", "system")),
    {"sender_role": "agent", "visibility": "internal"},
]


def _message(number: int, **sender: str) -> tuple[LaneEntry, ChatMessage]:
    payload = {"licence_id": "L1", "conversation_id": "c1", "message_id": f"m{number}"}
    payload |= {"sender_name": "Jan", "text": "Hello", **sender}
    message = parse_message("reply", payload)
    assert isinstance(message, ChatMessage)
    return LaneEntry("reply", f"reply:m{number}", f"task-{number}", payload, 1_000), message


@pytest.fixture
def conversation(stage: Stage) -> Database:
    """A database with the conversation, which has no thread."""
    with stage.runtime.database.connection() as connection:
        licence = connection.scalar(select(Licence.id))
        connection.execute(
            insert(Conversation).values(
                licence_id=licence, conversation_id="c1", channel_id="ch", thread_number=1
            )
        )
    return stage.runtime.database


@pytest.mark.parametrize("sender", SENDERS, ids=lambda sender: " ".join(sender.values()))
def test_message_is_begun_at_once_if_it_changes_nothing(
    conversation: Database, sender: dict[str, str]
) -> None:
    """The statement decides as ``changed_columns`` does, whatever the conversation holds."""
    decided = []
    for number, values in enumerate(product(*COLUMNS.values())):
        stored = dict(zip(COLUMNS, values, strict=True))
        entry, message = _message(number, **sender)
        with conversation.autocommit() as connection:
            connection.execute(update(Conversation).values(stored))
            thread, begun = find_and_begin(connection, LANE, entry, message)
        assert isinstance(thread, Thread)
        quiet = changes_nothing(thread, [EnqueuedMessage(message, NOW)])
        decided.append((stored, begun is not None, quiet))

    assert [each for each in decided if each[1] != each[2]] == []
    assert any(quiet for _, _, quiet in decided)


def test_thread_and_row_are_those_of_two_statements(conversation: Database) -> None:
    """The thread is the one that a look finds, and the row is as the ledger makes it."""
    entry, message = _message(1, sender_role="bot")
    with conversation.autocommit() as connection:
        thread, begun = find_and_begin(connection, LANE, entry, message)
        assert thread == find_thread(connection, message)
        row = connection.execute(select(Delivery)).mappings().one()

    assert begun is not None
    assert (begun.id, begun.before, begun.started_at) == (row["id"], NEW, row["started_at"])
    assert {name: value for name, value in row.items() if value is not None} == {
        "id": begun.id, "licence_id": "L1", "lane": str(LANE), "key": entry.key, "kind": "reply",
        "state": "sending", "task_id": "task-1", "post_count": 0,
        "enqueued_at": datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC), "started_at": begun.started_at,
    }  # fmt: skip


def test_message_that_was_begun_before_is_not_begun(conversation: Database) -> None:
    """For a message that has a row, the statement returns the thread alone."""
    entry, message = _message(1, sender_role="bot")
    with conversation.autocommit() as connection:
        first, _ = find_and_begin(connection, LANE, entry, message)
        second, begun = find_and_begin(connection, LANE, entry, message)

    assert second == first
    assert begun is None


def test_message_of_an_unknown_conversation_is_not_begun(conversation: Database) -> None:
    """Without a stored conversation nothing is inserted."""
    entry, message = _message(1, sender_role="bot")
    unknown = replace(message, conversation_id="c2")
    with conversation.autocommit() as connection:
        found = find_and_begin(connection, LANE, entry, unknown)
        rows = connection.execute(select(Delivery)).all()

    assert (found, rows) == ((None, None), [])
