"""Finds the conversations of a visitor, and counts what is stored of a conversation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast

from redis import Redis
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from ireserve_mattermost.lanes import PREFIX, Lane, LaneEntry, Lanes
from models import Conversation, Delivery, DeliveryKind, DeliveryState, Reply, ReplyAttachment

# Failed messages that are in memory at once during the search for a visitor.
BATCH = 500


@dataclass(frozen=True, slots=True)
class StoredConversation:
    """What is stored of one conversation: its visitor, its page, and the number of its objects.

    ``failed`` and ``waiting`` count messages that are stored with their text. ``threads`` are the
    ids of its root posts in Mattermost, some of which may be gone.
    """

    conversation: str
    visitor: str | None = None
    page_url: str | None = None
    started_at: datetime | None = None
    last_active_at: datetime | None = None
    replies: int = 0
    files: int = 0
    failed: int = 0
    waiting: int = 0
    threads: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is stored of the conversation."""
        return self == StoredConversation(self.conversation)


def find_conversations(session: Session, redis: Redis, licence_id: str, visitor: str) -> list[str]:
    """Return the ids of the licence's conversations with visitors of exactly this name.

    The search includes failed and waiting messages. If the first message of a conversation has
    failed or waits, nothing else may be stored of the conversation.
    """
    named = select(Conversation.conversation_id).where(
        Conversation.licence_id == licence_id, Conversation.visitor_name == visitor
    )
    found = set(session.scalars(named))
    for lane, payload in (*_failed(session, licence_id), *_waiting(redis, licence_id)):
        if visitor in _names(payload):
            found.add(lane.subject)
    return sorted(found)


def _names(payload: Mapping[str, Any]) -> set[Any]:
    """Return the visitor's names in a message, without the name of an agent."""
    names = {payload.get("visitor_name")}
    if payload.get("sender_role") == "visitor":
        names.add(payload.get("sender_name"))
    return names


def _failed(session: Session, licence_id: str) -> Iterator[tuple[Lane, Mapping[str, Any]]]:
    rows = session.execute(
        select(Delivery.lane, Delivery.payload)
        .where(
            Delivery.licence_id == licence_id,
            Delivery.state == DeliveryState.FAILED,
            Delivery.payload.is_not(None),
            Delivery.kind.in_((DeliveryKind.ROOT, DeliveryKind.REPLY)),
        )
        .execution_options(yield_per=BATCH)
    )
    for name, payload in rows:
        yield Lane.parse(name), payload or {}


def _waiting(redis: Redis, licence_id: str) -> Iterator[tuple[Lane, Mapping[str, Any]]]:
    for lane in Lanes(redis).waiting_of(licence_id):
        if lane == Lane.of_conversation(licence_id, lane.subject):
            for entry in entries_of(redis, lane):
                yield lane, entry.payload


def entries_of(redis: Redis, lane: Lane, *, limit: int = 0) -> Iterator[LaneEntry]:
    """Yield the lane's entries, the oldest first; with a ``limit``, only the newest entries."""
    for raw in cast("list[bytes]", redis.lrange(_list(lane), -limit, -1)):
        try:
            yield LaneEntry.load(raw)
        except (ValueError, TypeError, AttributeError):
            # The entry is unreadable, and a worker will set it aside.
            continue


def count_waiting(redis: Redis, lane: Lane) -> int:
    """Return how many messages wait in the lane."""
    return redis.llen(_list(lane))


def _list(lane: Lane) -> str:
    return f"{PREFIX}lane:{lane}"


def load_conversation(session: Session, redis: Redis, lane: Lane) -> StoredConversation:
    """Return what is stored of the conversation of this lane."""
    messages = StoredConversation(
        lane.subject,
        failed=_count_failed(session, lane),
        waiting=count_waiting(redis, lane),
        threads=root_posts(session, lane),
    )
    row = session.scalar(select(Conversation).where(*_is_of_lane(lane)))
    if row is None:
        return messages
    replies, files = _count_replies(session, row.id)
    return replace(
        messages,
        visitor=row.visitor_name,
        page_url=row.page_url,
        started_at=row.started_at or row.created_at,
        last_active_at=row.last_active_at,
        replies=replies,
        files=files,
    )


def _is_of_lane(lane: Lane) -> tuple[ColumnElement[bool], ...]:
    return (
        Conversation.licence_id == lane.licence_id,
        Conversation.conversation_id == lane.subject,
    )


def root_posts(session: Session, lane: Lane) -> tuple[str, ...]:
    """Return the ids of all root posts of the conversation, the oldest first."""
    posted = (
        select(Delivery.post_id)
        .where(
            Delivery.lane == str(lane),
            Delivery.kind == DeliveryKind.ROOT,
            Delivery.post_id.is_not(None),
        )
        .order_by(Delivery.id)
    )
    # Retention may have removed the ledger's rows. The conversation itself has its current root.
    current = select(Conversation.root_post_id).where(*_is_of_lane(lane))
    found = [*session.scalars(posted), *session.scalars(current)]
    return tuple(dict.fromkeys(post_id for post_id in found if post_id is not None))


def _count_failed(session: Session, lane: Lane) -> int:
    failed = (
        select(func.count())
        .select_from(Delivery)
        .where(Delivery.lane == str(lane), Delivery.payload.is_not(None))
    )
    return session.scalar(failed) or 0


def _count_replies(session: Session, conversation_row: int) -> tuple[int, int]:
    """Return how many replies the conversation has, and how many files those have."""
    replies = select(func.count()).where(Reply.conversation_row == conversation_row)
    files = (
        select(func.count(ReplyAttachment.path))
        .join(Reply, Reply.id == ReplyAttachment.reply_id)
        .where(Reply.conversation_row == conversation_row)
    )
    return session.scalar(replies) or 0, session.scalar(files) or 0
