"""Begin messages, and store what they tell of their conversation: both or neither."""

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
from tasks.outbound.threads import Thread, changes_nothing, find_thread, load_thread
from tasks.outbound.verdicts import CheckedMessage, reason_to_skip

# Each message with its key.
Keyed = tuple[str, CheckedMessage | SendFailedError]


def open_messages(
    database: Database, lane: Lane, entries: Sequence[LaneEntry], messages: Sequence[Keyed]
) -> tuple[Opening, Thread | None]:
    """Begin the entries and return their thread; None: no message goes into one.

    ``messages`` may be more than the entries: a change of the conversation is not begun.
    """
    heard = _heard(messages)
    # Most tell nothing new: a look, and one statement that is committed by itself. Only the lane's
    # holder stores what its messages tell, so nothing has to be locked in between.
    with database.autocommit() as connection:
        thread = _known(connection, heard)
        if not heard or (thread and changes_nothing(thread, _said(heard))):
            return ledger.begin(connection, lane, entries), thread
    with database.connection() as connection:
        opening = ledger.begin(connection, lane, entries)
        said = _said(heard, opening)
        return opening, load_thread(connection, thread, said, _first(heard).licence)


def reload_thread(database: Database, messages: Sequence[Keyed]) -> Thread | None:
    """Return the thread of messages that were begun before: their changes are stored."""
    heard = _heard(messages)
    if not heard:
        return None
    with database.connection() as connection:
        thread, said = _known(connection, heard), _said(heard, Opening({}, {}))
        return load_thread(connection, thread, said, _first(heard).licence)


def _heard(messages: Sequence[Keyed]) -> dict[str, CheckedMessage]:
    """Return the messages that go into a thread, by key."""
    heard: dict[str, CheckedMessage] = {}
    for key, each in messages:
        if (
            isinstance(each, CheckedMessage)
            and not isinstance(each.message, Notification)
            and reason_to_skip(each) is None
        ):
            # Enqueued twice, it is the first that counts.
            heard.setdefault(key, each)
    return heard


def _first(heard: dict[str, CheckedMessage]) -> CheckedMessage:
    return next(iter(heard.values()))


def _known(connection: Connection, heard: dict[str, CheckedMessage]) -> Thread | None:
    return find_thread(connection, _first(heard).message) if heard else None


def _said(heard: dict[str, CheckedMessage], opening: Opening | None = None) -> list[Said]:
    """Return what was said; without an opening as if no message had been begun before."""
    return [
        Said(each.message, each.enqueued_at, is_new=opening is None or opening.is_new(key))
        for key, each in heard.items()
    ]
