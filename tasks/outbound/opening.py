"""Begin messages and store their changes of the conversation, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from ireserve_mattermost.lanes import Lane, LaneEntry
from ireserve_mattermost.messages import ChatMessage, Notification
from models import Database
from tasks.failures import SendFailedError
from tasks.outbound import ledger
from tasks.outbound.conversation_changes import EnqueuedMessage
from tasks.outbound.find_and_begin import find_and_begin
from tasks.outbound.ledger import Begun, Opening
from tasks.outbound.threads import Thread, changes_nothing, find_thread, store_changes
from tasks.outbound.verdicts import CheckedMessage, reason_to_skip

# A message's key, and the message.
Keyed = tuple[str, CheckedMessage | SendFailedError]


def open_messages(
    database: Database, lane: Lane, entries: Sequence[LaneEntry], messages: Sequence[Keyed]
) -> tuple[Opening, Thread | None]:
    """Begin the entries and return their thread; None: no message goes into a thread.

    ``messages`` may hold more than the entries, since a change of the conversation is not begun.
    """
    by_key = _for_thread(messages)
    # Most messages change nothing and need no transaction, but one or two statements that commit by
    # themselves. Only the worker that holds the lane stores its messages' changes, so no row is
    # locked in between.
    with database.autocommit() as connection:
        thread, begun = _find(connection, lane, entries, by_key)
        if begun:
            return Opening(begun, {}), thread
        if not by_key or (thread and changes_nothing(thread, _enqueued(by_key))):
            return ledger.begin(connection, lane, entries), thread
    with database.connection() as connection:
        opening = ledger.begin(connection, lane, entries)
        enqueued = _enqueued(by_key, opening)
        return opening, store_changes(connection, thread, enqueued, _first(by_key).licence)


def _find(
    connection: Connection,
    lane: Lane,
    entries: Sequence[LaneEntry],
    by_key: dict[str, CheckedMessage],
) -> tuple[Thread | None, dict[str, Begun]]:
    """Return the thread, and the message if the same statement could begin it."""
    if connection.dialect.name == "postgresql" and len(entries) == len(by_key) == 1:
        entry, checked = entries[0], by_key.get(entries[0].key)
        if checked is not None and isinstance(checked.message, ChatMessage):
            thread, begun = find_and_begin(connection, lane, entry, checked.message)
            return thread, {} if begun is None else {entry.key: begun}
    return _known(connection, by_key), {}


def reload_thread(database: Database, messages: Sequence[Keyed]) -> Thread | None:
    """Return the thread of messages that were begun before, whose changes are already stored."""
    by_key = _for_thread(messages)
    if not by_key:
        return None
    with database.connection() as connection:
        thread, enqueued = _known(connection, by_key), _enqueued(by_key, Opening({}, {}))
        return store_changes(connection, thread, enqueued, _first(by_key).licence)


def _for_thread(messages: Sequence[Keyed]) -> dict[str, CheckedMessage]:
    """Return the messages that go into a thread, by key."""
    by_key: dict[str, CheckedMessage] = {}
    for key, each in messages:
        if (
            isinstance(each, CheckedMessage)
            and not isinstance(each.message, Notification)
            and reason_to_skip(each) is None
        ):
            # Of a message that was enqueued twice, the first entry counts.
            by_key.setdefault(key, each)
    return by_key


def _first(by_key: dict[str, CheckedMessage]) -> CheckedMessage:
    return next(iter(by_key.values()))


def _known(connection: Connection, by_key: dict[str, CheckedMessage]) -> Thread | None:
    return find_thread(connection, _first(by_key).message) if by_key else None


def _enqueued(
    by_key: dict[str, CheckedMessage], opening: Opening | None = None
) -> list[EnqueuedMessage]:
    """Return the messages for ``changed_columns``; without an opening all of them count as new."""
    return [
        EnqueuedMessage(
            each.message, each.enqueued_at, is_new=opening is None or opening.is_new(key)
        )
        for key, each in by_key.items()
    ]
