"""Retention of conversations: removes those without recent messages, with their replies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from sqlalchemy import Select, and_, delete, or_, select
from sqlalchemy.orm import Session

from ireserve_mattermost.lanes import Lane, Lanes
from models import Conversation, Database, Delivery, DeliveryKind, DeliveryState, Licence, Reply
from models.steps import PAGE, Steps
from tasks.replies.retention import MUST_STAY, delete_replies

_IS_UNDECIDED = Delivery.state.in_([state for state in DeliveryState if not state.is_final])


@dataclass(frozen=True, slots=True)
class _OldConversation:
    """A conversation that may be removed."""

    row: int
    lane: Lane
    last_active_at: datetime


class _Step(Enum):
    KEPT = auto()
    BEGUN = auto()
    GONE = auto()


def remove_conversations(steps: Steps, lanes: Lanes, *, before: datetime) -> Iterator[int]:
    """Remove conversations without activity since ``before``; yield 1 for each, 0 if it stays.

    A conversation stays if a message waits or is undecided, or if a reply is open. Its lane is
    locked meanwhile, so that no message is sent into a thread whose row is being removed.
    """
    for licence_id in _licences(steps.database):
        for old in _find_old(steps.database, licence_id, before):
            if steps.is_over:
                return
            yield _remove(steps, lanes, old, before)


def _licences(database: Database) -> list[str]:
    """Return the licences, except those with an open reply whose thread is not known yet."""
    waits = select(Reply.id).where(
        Reply.licence_id == Licence.id, Reply.conversation_row.is_(None), MUST_STAY
    )
    with database.snapshot() as session:
        return list(session.scalars(select(Licence.id).where(~waits.exists()).order_by(Licence.id)))


def _find_old(database: Database, licence_id: str, before: datetime) -> Iterator[_OldConversation]:
    last: _OldConversation | None = None
    while True:
        with database.snapshot() as session:
            rows = session.execute(_page(licence_id, before, last)).all()
        for row, conversation_id, moment in rows:
            last = _OldConversation(row, Lane.of_conversation(licence_id, conversation_id), moment)
            yield last
        if len(rows) < PAGE:
            return


def _page(
    licence_id: str, before: datetime, last: _OldConversation | None
) -> Select[int, str, datetime]:
    moment = Conversation.last_active_at
    page = select(Conversation.id, Conversation.conversation_id, moment).where(
        Conversation.licence_id == licence_id, moment < before
    )
    if last is not None:
        # Do not yield a conversation again that was kept.
        at_once = and_(moment == last.last_active_at, Conversation.id > last.row)
        page = page.where(or_(moment > last.last_active_at, at_once))
    return page.order_by(moment, Conversation.id).limit(PAGE)


def _remove(steps: Steps, lanes: Lanes, old: _OldConversation, before: datetime) -> int:
    with lanes.try_lock(old.lane) as lock:
        if lock is None or lanes.head(old.lane) is not None:
            return 0
        step = _Step.BEGUN
        while step is _Step.BEGUN:
            lock.extend()
            step = steps.write(lambda session: _remove_some(session, old, before, steps.rows))
    return int(step is _Step.GONE)


def _remove_some(session: Session, old: _OldConversation, before: datetime, limit: int) -> _Step:
    """Remove at most ``limit`` replies, and the conversation itself if no reply is left."""
    if not _is_still_old_and_settled(session, old, before):
        return _Step.KEPT
    of = select(Reply.id).where(Reply.conversation_row == old.row).limit(limit + 1)
    ids = session.scalars(of).all()
    if ids:
        delete_replies(session, Reply.id.in_(ids[:limit]))
    if len(ids) > limit:
        return _Step.BEGUN
    # With these rows, the next message would search years of the channel for the old thread.
    is_root = and_(Delivery.lane == str(old.lane), Delivery.kind == DeliveryKind.ROOT)
    session.execute(delete(Delivery).where(is_root))
    session.execute(delete(Conversation).where(Conversation.id == old.row))
    return _Step.GONE


def _is_still_old_and_settled(session: Session, old: _OldConversation, before: datetime) -> bool:
    """Return whether the conversation is old and has nothing open, and lock it until the commit."""
    still_old = select(Conversation.id).where(
        Conversation.id == old.row, Conversation.last_active_at < before
    )
    # Recording a reply needs the same row, so it ends before this or finds the row gone.
    if session.scalar(still_old.with_for_update()) is None:
        return False
    undecided = select(Delivery.id).where(Delivery.lane == str(old.lane), _IS_UNDECIDED)
    open_replies = select(Reply.id).where(Reply.conversation_row == old.row, MUST_STAY)
    return not any(session.scalar(rows.limit(1)) is not None for rows in (undecided, open_replies))
