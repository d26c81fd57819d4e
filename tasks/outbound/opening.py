"""Begin messages and store their changes of the conversation, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from ireserve_mattermost.lanes import Lane, LaneEntry
from ireserve_mattermost.messages import Notification
from models import Database
from tasks.failures import SendFailedError
from tasks.outbound import ledger
from tasks.outbound.conversation_changes import Said
from tasks.outbound.ledger import Opening
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
    heard = _heard(messages)
    # Most messages change nothing and need one query and one statement that commits by itself. Only
    # the worker that holds the lane stores its messages' changes, so no row is locked in between.
    with database.autocommit() as connection:
        thread = _known(connection, heard)
        if not heard or (thread and changes_nothing(thread, _said(heard))):
            return ledger.begin(connection, lane, entries), thread
    with database.connection() as connection:
        opening = ledger.begin(connection, lane, entries)
        said = _said(heard, opening)
        return opening, store_changes(connection, thread, said, _first(heard).licence)


def reload_thread(database: Database, messages: Sequence[Keyed]) -> Thread | None:
    """Return the thread of messages that were begun before, whose changes are already stored."""
    heard = _heard(messages)
    if not heard:
        return None
    with database.connection() as connection:
        thread, said = _known(connection, heard), _said(heard, Opening({}, {}))
        return store_changes(connection, thread, said, _first(heard).licence)


def _heard(messages: Sequence[Keyed]) -> dict[str, CheckedMessage]:
    """Return the messages that go into a thread, by key."""
    heard: dict[str, CheckedMessage] = {}
    for key, each in messages:
        if (
            isinstance(each, CheckedMessage)
            and not isinstance(each.message, Notification)
            and reason_to_skip(each) is None
        ):
            # Of a message that was enqueued twice, the first entry counts.
            heard.setdefault(key, each)
    return heard


def _first(heard: dict[str, CheckedMessage]) -> CheckedMessage:
    return next(iter(heard.values()))


def _known(connection: Connection, heard: dict[str, CheckedMessage]) -> Thread | None:
    return find_thread(connection, _first(heard).message) if heard else None


def _said(heard: dict[str, CheckedMessage], opening: Opening | None = None) -> list[Said]:
    """Return the messages for ``changes_by``; without an opening all of them count as new."""
    return [
        Said(each.message, each.enqueued_at, is_new=opening is None or opening.is_new(key))
        for key, each in heard.items()
    ]
