"""Find a conversation and begin its next message, in one statement; for PostgreSQL alone.

An INSERT of SQLite cannot return columns of another table. SQLite answers within the process, so
that a second statement costs little.
"""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import Connection, Select, Table, bindparam, select, true
from sqlalchemy.dialects import postgresql

from ireserve_mattermost.lanes import Lane, LaneEntry
from ireserve_mattermost.messages import ChatMessage
from models import Delivery, utc_now
from tasks.outbound.conversation_changes import Effect
from tasks.outbound.ledger import NEW, ONE_PER_KEY, Begun, new_row
from tasks.outbound.threads import FIND_THREAD, Thread, found_thread, wanted

_ROWS = cast(Table, Delivery.__table__)
_NAMES = (
    "licence_id", "lane", "key", "kind", "state", "task_id", "caller_correlation_id", "enqueued_at",
    "post_count", "started_at",
)  # fmt: skip


def _statement(effect: Effect) -> Select[*tuple[Any, ...]]:
    """Return the statement for a message with this effect.

    It inserts the message's row if the conversation is stored and the message changes nothing.
    """
    known = FIND_THREAD.cte("known")
    new = select(*(bindparam(name, type_=_ROWS.c[name].type) for name in _NAMES))
    begun = (
        postgresql.insert(_ROWS)
        .from_select(
            _NAMES,
            new.select_from(known).where(effect.changes_nothing(known)),
            # SQLAlchemy computes defaults only for a statement that is an INSERT as a whole.
            include_defaults=False,
        )
        .on_conflict_do_nothing(index_elements=ONE_PER_KEY)
        .returning(_ROWS.c.id, _ROWS.c.started_at)
        .cte("begun")
    )
    return select(begun.c.id, begun.c.started_at, known).select_from(known.outerjoin(begun, true()))


_STATEMENTS = {effect: _statement(effect) for effect in Effect}


def find_and_begin(
    connection: Connection, lane: Lane, entry: LaneEntry, message: ChatMessage
) -> tuple[Thread | None, Begun | None]:
    """Return the message's conversation, and its row if it was new and changes nothing.

    The connection must commit each statement by itself.
    """
    row = connection.execute(
        _STATEMENTS[Effect.of(message)],
        wanted(message) | new_row(lane, entry) | {"post_count": 0, "started_at": utc_now()},
    ).one_or_none()
    if row is None:
        return None, None
    delivery_id, started_at, *stored = row
    begun = None if delivery_id is None else Begun(delivery_id, NEW, None, started_at)
    return found_thread(stored), begun
