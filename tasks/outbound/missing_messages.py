"""Missing messages: failed messages, which the next message of their thread names.

Before its post is made, a message claims the missing messages that it has to name. If the worker
dies in between, the next worker finds the claim and names the same messages. If the message fails
before a post names them, it gives its claim back. Then the next message names all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast, get_args

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Table,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    or_,
    select,
    update,
)

from ireserve_mattermost.lanes import Lane
from ireserve_mattermost.messages import Role
from ireserve_mattermost.values import is_blank
from models import Delivery, DeliveryState
from tasks.failures import IN_DOUBT, OwnReason
from tasks.mattermost import Reason
from tasks.outbound.job import Attempt, Job
from tasks.outbound.marks import mark_of
from tasks.rendering import MissingMessages, MissingReason

_ROWS = cast(Table, Delivery.__table__)
# The field of a post's mark with the number of missing messages that the post names.
MISSING_COUNT = "missing"
# Not a parameter: SQLite would plan the query anew each time, to see whether the parameter's value
# makes an index usable that holds failed messages only.
_FAILED: ColumnElement[str] = literal_column(f"'{DeliveryState.FAILED}'")
_ROLES = frozenset(get_args(Role))

_NOT_REACHED = dict.fromkeys(
    (
        Reason.UNREACHABLE,
        Reason.TLS_FAILED,
        Reason.TIMEOUT,
        Reason.CONNECTION_CUT,
        Reason.STOPPED,
        Reason.RATE_LIMITED,
        Reason.REDIRECTED,
    ),
    MissingReason.NOT_REACHED,
)
_TROUBLE = dict.fromkeys(
    (Reason.SERVER_ERROR, Reason.BEING_MADE, Reason.ANSWER_TOO_LARGE, Reason.NOT_MATTERMOST),
    MissingReason.TROUBLE,
)
_OWN = {
    OwnReason.INVALID_ARGUMENTS: MissingReason.NOT_SHOWABLE,
    OwnReason.LICENCE_UNKNOWN: MissingReason.SWITCHED_OFF,
    OwnReason.LICENCE_DISABLED: MissingReason.SWITCHED_OFF,
    OwnReason.TOKEN_UNREADABLE: MissingReason.SWITCHED_OFF,
    OwnReason.INTERNAL_ERROR: MissingReason.OWN_ERROR,
}
_REASONS: dict[str, MissingReason] = {
    reason.value: why for reason, why in (_NOT_REACHED | _TROUBLE | _OWN).items()
}


def missing_sender_of(payload: Mapping[str, Any]) -> str | None:
    """Return the kind of sender whose message is missing in the thread; None: nothing is missing.

    A message that came from Mattermost is already there. A root post and an empty message leave
    nothing out.
    """
    if "message_id" not in payload or payload.get("origin_post_id") is not None:
        return None
    text, role = payload.get("text"), payload.get("sender_role")
    if not payload.get("attachments") and (not text or (isinstance(text, str) and is_blank(text))):
        return None
    if payload.get("visibility") == "internal":
        return "note"
    return role if isinstance(role, str) and role in _ROLES else "unknown"


def missing_reason_of(reason: str | None) -> MissingReason:
    """Return the team's term for a reason in the ledger; any other reason is a refusal."""
    return _REASONS.get(reason or "", MissingReason.REFUSED)


def has_unnamed(connection: Connection, lane: Lane) -> bool:
    """Return whether a message of the lane is missing that no message names."""
    return bool(connection.scalar(select(MISSES_MESSAGES), {"lane": str(lane)}))


def claim(job: Job, attempt: Attempt) -> None:
    """Claim the lane's missing messages for this attempt and for later attempts at its message."""
    if not attempt.looks_for_missing:
        return
    delivery_id = attempt.begun.id
    with job.database.connection() as connection:
        connection.execute(update(_ROWS).where(_unnamed(str(job.lane))).values(told_by=delivery_id))
        attempt.missing = _claimed(connection, job.lane, delivery_id)


def _claimed(connection: Connection, lane: Lane, delivery_id: int) -> list[MissingMessages]:
    columns = _ROWS.c
    doubtful = or_(columns.post_count > 0, *map(columns.detail.contains, IN_DOUBT))
    kinds = (columns.missing, columns.reason, case((doubtful, 1), else_=0).label("doubtful"))
    times = (func.min(columns.enqueued_at), func.max(columns.enqueued_at))
    rows = connection.execute(
        select(*kinds, func.count(), *times)
        .where(_is_missing(str(lane)), columns.told_by == delivery_id)
        .group_by(*kinds)
        .order_by(func.min(columns.id))
    )
    return [
        MissingMessages(sender, missing_reason_of(reason), bool(is_doubtful), count, first, last)
        for sender, reason, is_doubtful, count, first, last in rows
    ]


def are_named(attempt: Attempt) -> bool:
    """Return whether one of the attempt's posts names the missing messages."""
    return any(mark_of(post).get(MISSING_COUNT) for post in attempt.posts.values())


def stay_unnamed(attempt: Attempt) -> bool:
    """Return whether the attempt has claimed missing messages that none of its posts names."""
    return bool(attempt.missing) and not are_named(attempt)


def give_back(connection: Connection, lane: Lane, delivery_id: int) -> None:
    """Release the missing messages that this message has claimed to the next message."""
    claimed = and_(_is_missing(str(lane)), _ROWS.c.told_by == delivery_id)
    connection.execute(update(_ROWS).where(claimed).values(told_by=None))


def _unnamed(lane: str | BindParameter[str]) -> ColumnElement[bool]:
    return and_(_is_missing(lane), _ROWS.c.told_by.is_(None))


def _is_missing(lane: str | BindParameter[str]) -> ColumnElement[bool]:
    # A message that is being sent again does not count as missing meanwhile.
    columns = _ROWS.c
    return and_(
        columns.lane == lane,
        columns.missing.is_not(None),
        columns.state == _FAILED,
    )


# A column for a query that is made anyway, so that it needs no statement of its own.
MISSES_MESSAGES = exists().where(_unnamed(bindparam("lane"))).label("misses_messages")
