"""Missing messages: those that failed, which the next message of their thread names.

A message claims what it is to name before its post is made. A worker that dies in between leaves
the claim to the next one, which names the same. A message that fails before its post names them
gives its claim back, and the next message names both.
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
from tasks.rendering import MissingMessages, Why

_ROWS = cast(Table, Delivery.__table__)
# What a post keeps in its mark when it names missing messages: how many.
KEPT = "missing"
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
    Why.NOT_REACHED,
)
_TROUBLE = dict.fromkeys(
    (Reason.SERVER_ERROR, Reason.BEING_MADE, Reason.ANSWER_TOO_LARGE, Reason.NOT_MATTERMOST),
    Why.TROUBLE,
)
_OWN = {
    OwnReason.INVALID_ARGUMENTS: Why.NOT_SHOWABLE,
    OwnReason.LICENCE_UNKNOWN: Why.SWITCHED_OFF,
    OwnReason.LICENCE_DISABLED: Why.SWITCHED_OFF,
    OwnReason.TOKEN_UNREADABLE: Why.SWITCHED_OFF,
    OwnReason.INTERNAL_ERROR: Why.OWN_ERROR,
}
_WHY: dict[str, Why] = {
    reason.value: why for reason, why in (_NOT_REACHED | _TROUBLE | _OWN).items()
}


def missing_of(payload: Mapping[str, Any]) -> str | None:
    """Return whose words the thread misses without this message; None: nothing was said.

    What came from Mattermost is there already; a root says nothing.
    """
    if "message_id" not in payload or payload.get("origin_post_id") is not None:
        return None
    text, role = payload.get("text"), payload.get("sender_role")
    if not payload.get("attachments") and (not text or (isinstance(text, str) and is_blank(text))):
        return None
    if payload.get("visibility") == "internal":
        return "note"
    return role if isinstance(role, str) and role in _ROLES else "unknown"


def why_of(reason: str | None) -> Why:
    """Return what the team is told of a reason of the ledger; most are refusals."""
    return _WHY.get(reason or "", Why.REFUSED)


def has_unnamed(connection: Connection, lane: Lane) -> bool:
    """Return whether a message of the lane is missing, and no message names it."""
    return bool(connection.scalar(select(MISSES_MESSAGES), {"lane": str(lane)}))


def claim(job: Job, attempt: Attempt) -> None:
    """Note in the attempt which missing messages it names, now and whenever it is tried again."""
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
        MissingMessages(sender, why_of(reason), bool(is_doubtful), count, first, last)
        for sender, reason, is_doubtful, count, first, last in rows
    ]


def are_named(attempt: Attempt) -> bool:
    """Return whether one of the posts that are there names what is missing."""
    return any(mark_of(post).get(KEPT) for post in attempt.posts.values())


def give_back(connection: Connection, lane: Lane, delivery_id: int) -> None:
    """Leave what this message was to name to the next one."""
    claimed = and_(_is_missing(str(lane)), _ROWS.c.told_by == delivery_id)
    connection.execute(update(_ROWS).where(claimed).values(told_by=None))


def _unnamed(lane: str | BindParameter[str]) -> ColumnElement[bool]:
    return and_(_is_missing(lane), _ROWS.c.told_by.is_(None))


def _is_missing(lane: str | BindParameter[str]) -> ColumnElement[bool]:
    # A message that is being sent again is none for now.
    columns = _ROWS.c
    return and_(
        columns.lane == lane,
        columns.missing.is_not(None),
        columns.state == DeliveryState.FAILED,
    )


# A column for a question that is asked anyway: it costs no statement of its own.
MISSES_MESSAGES = exists().where(_unnamed(bindparam("lane"))).label("misses_messages")
