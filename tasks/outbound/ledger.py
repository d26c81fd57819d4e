"""The ledger's transitions: begin, finish, set aside. The caller provides the transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import Connection, Table, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from ireserve_mattermost.lanes import Lane, LaneEntry
from models import Delivery, DeliveryKind, DeliveryState, utc_now

# The state before this attempt of a message that had no row.
NEW = None
# Plain statements on the table, because objects would take time for each message.
_ROWS = cast(Table, Delivery.__table__)
ONE_PER_KEY = ("lane", "key")
_MADE = (_ROWS.c.key, _ROWS.c.id, _ROWS.c.started_at)
# Most messages are new. Inserting first, and reading only what existed, saves a query.
_BEGIN = {
    "postgresql": postgresql.insert(_ROWS)
    .on_conflict_do_nothing(index_elements=ONE_PER_KEY)
    .returning(*_MADE),
    "sqlite": sqlite.insert(_ROWS)
    .on_conflict_do_nothing(index_elements=ONE_PER_KEY)
    .returning(*_MADE),
}
_MARK_SENT = (
    update(_ROWS)
    .where(_ROWS.c.id == bindparam("delivery_id"))
    .values(
        state=DeliveryState.SENT,
        reason=None,
        detail=None,
        payload=None,
        channel_id=bindparam("channel"),
        post_id=bindparam("post"),
        post_count=bindparam("count"),
        finished_at=bindparam("finished"),
    )
)


@dataclass(frozen=True, slots=True)
class KnownDelivery:
    """A message's row in the ledger."""

    id: int
    state: DeliveryState
    reason: str | None
    detail: str | None
    started_at: datetime
    post_count: int


@dataclass(frozen=True, slots=True)
class Begun:
    """A message whose row has the state ``sending`` now, and what the row said before."""

    id: int
    before: DeliveryState | None
    reason: str | None
    started_at: datetime
    # How many of its posts were known to be in Mattermost when the message was set aside.
    post_count: int = 0

    @property
    def must_look(self) -> bool:
        """Whether the message may be in Mattermost already."""
        return self.before not in {NEW, DeliveryState.HELD}

    @property
    def is_unsettled(self) -> bool:
        """Whether its request was sent and only the answer was lost, so it is not sent again."""
        return self.before is DeliveryState.UNSETTLED


@dataclass(frozen=True, slots=True)
class Opening:
    """The messages that have been begun, and the messages whose rows are final, by key."""

    begun: dict[str, Begun]
    final: dict[str, KnownDelivery]

    def is_new(self, key: str) -> bool:
        """Return whether no worker had begun the message before."""
        return key in self.begun and self.begun[key].before is NEW


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that is in Mattermost, with its first post; the ledger may not have it yet."""

    delivery_id: int
    channel_id: str
    post_id: str
    post_count: int = 1


@dataclass(frozen=True, slots=True)
class Failed:
    """A message whose row has the state ``failed`` now."""

    lane: str
    kind: DeliveryKind
    key: str
    task_id: str | None
    reason: str
    detail: str
    at: datetime


def find(connection: Connection, lane: Lane, keys: Iterable[str]) -> dict[str, KnownDelivery]:
    """Return the rows of the messages with these keys in the lane, by key."""
    columns = _ROWS.c
    rows = connection.execute(
        select(
            columns.key,
            columns.id,
            columns.state,
            columns.reason,
            columns.detail,
            columns.started_at,
            columns.post_count,
        ).where(columns.lane == str(lane), columns.key.in_(tuple(keys)))
    )
    return {key: KnownDelivery(*fields) for key, *fields in rows}


def begin(
    connection: Connection,
    lane: Lane,
    entries: Sequence[LaneEntry],
    *,
    even_if_final: bool = False,
) -> Opening:
    """Record that these messages are being sent, except those whose row is final."""
    first: dict[str, LaneEntry] = {}
    for entry in entries:
        # Of a message that was enqueued twice, the first entry counts.
        first.setdefault(entry.key, entry)
    if not first:
        return Opening({}, {})
    begun = _insert(connection, lane, first.values())
    known = [key for key in first if key not in begun]
    if not known:
        return Opening(begun, {})
    rows = find(connection, lane, known)
    final = {key: row for key, row in rows.items() if row.state.is_final and not even_if_final}
    again = {
        key: Begun(row.id, row.state, row.reason, row.started_at, row.post_count)
        for key, row in rows.items()
        if key not in final
    }
    if again:
        connection.execute(
            update(_ROWS)
            .where(_ROWS.c.id.in_([each.id for each in again.values()]))
            .values(state=DeliveryState.SENDING, finished_at=None)
        )
    return Opening(begun | again, final)


def _insert(connection: Connection, lane: Lane, entries: Iterable[LaneEntry]) -> dict[str, Begun]:
    """Insert rows for the messages that have none, and return these messages."""
    rows = [new_row(lane, entry) for entry in entries]
    made = connection.execute(
        _BEGIN[connection.dialect.name],
        # For a list SQLAlchemy takes a slower path, which does not pay off for a single row.
        rows if len(rows) > 1 else rows[0],
    )
    return {key: Begun(row_id, NEW, None, started_at) for key, row_id, started_at in made}


def new_row(lane: Lane, entry: LaneEntry) -> dict[str, Any]:
    """Return the row of a message that is being sent, except for the columns with defaults."""
    return {
        "licence_id": lane.licence_id,
        "lane": str(lane),
        "key": entry.key,
        "kind": DeliveryKind(entry.kind),
        "state": DeliveryState.SENDING,
        "task_id": entry.task_id,
        "caller_correlation_id": entry.caller_correlation_id,
        "enqueued_at": datetime.fromtimestamp(entry.enqueued_at_ms / 1_000, UTC),
    }


def put_back(connection: Connection, begun: Iterable[Begun]) -> None:
    """Record that these messages were not tried after all; the caller still holds their lane."""
    for each in begun:
        state = DeliveryState.HELD if each.before is NEW else each.before
        _update(connection, each.id, state=state)


def mark_sent(connection: Connection, sent: Sequence[Sent]) -> None:
    """Record that the messages are in Mattermost, and drop their payloads."""
    now = utc_now()
    connection.execute(
        _MARK_SENT,
        [
            {
                "delivery_id": each.delivery_id,
                "channel": each.channel_id,
                "post": each.post_id,
                "count": each.post_count,
                "finished": now,
            }
            for each in sent
        ],
    )


def mark_failed(
    connection: Connection,
    delivery_id: int,
    *,
    reason: str,
    detail: str,
    payload: dict[str, Any] | None,
    missing: str | None,
    post_count: int,
) -> Failed | None:
    """Record that the message has failed, and keep its payload.

    ``missing`` is the kind of sender whose message is missing in the thread now. ``post_count`` is
    how many of the message's posts are in Mattermost. None: the licence was removed meanwhile, and
    the row with it.
    """
    at = utc_now()
    columns = _ROWS.c
    ended = (
        update(_ROWS)
        .where(columns.id == delivery_id)
        .values(
            state=DeliveryState.FAILED,
            reason=reason,
            detail=detail,
            payload=payload,
            missing=missing,
            post_count=post_count,
            finished_at=at,
        )
    )
    names = (columns.lane, columns.kind, columns.key, columns.task_id)
    row = connection.execute(ended.returning(*names)).one_or_none()
    if row is None:
        return None
    lane, kind, key, task_id = row
    return Failed(lane, kind, key, task_id, reason, detail, at)


def mark_skipped(connection: Connection, delivery_id: int, *, reason: StrEnum) -> None:
    """Record that the message must not be sent, and why."""
    _update(
        connection,
        delivery_id,
        state=DeliveryState.SKIPPED,
        reason=reason.value,
        finished_at=utc_now(),
    )


def set_aside(
    connection: Connection,
    delivery_id: int,
    *,
    state: DeliveryState,
    reason: str,
    detail: str,
    post_count: int,
) -> None:
    """Record why the message waits in its lane, and how many of its posts are in Mattermost."""
    _update(
        connection, delivery_id, state=state, reason=reason, detail=detail, post_count=post_count
    )


def _update(connection: Connection, delivery_id: int, **values: Any) -> None:
    connection.execute(update(_ROWS).where(_ROWS.c.id == delivery_id).values(**values))
