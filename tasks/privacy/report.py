"""Reports on one conversation for an operator: its thread, card, messages and replies.

A report has ids, states, reasons and times. It has names and texts only on request.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from redis import Redis
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ireserve_mattermost.lanes import Lane, LaneEntry
from models import Conversation, Delivery, Licence, Reply, ReplyAttachment
from tasks.licences.access import permalink
from tasks.licences.registration import RegistrationError
from tasks.outbound.card import state_of
from tasks.outbound.resending import cure_of
from tasks.outbound.threads import Thread
from tasks.privacy.conversations import count_waiting, entries_of, root_posts
from tasks.replies.backoff import GIVEN_UP
from tasks.replies.cures import cure_of_reply
from tasks.watch.filter import newest

# The state of a message in its lane that no worker has begun.
WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class ThreadReport:
    """The conversation's thread; ``earlier`` are the root posts of threads that are gone."""

    root_post_id: str
    permalink: str
    channel_id: str
    number: int
    earlier: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CardReport:
    """The state of the conversation, and whether its root post shows that state.

    ``revision`` is the number of i-Reserve's newest call. ``changed_at`` is when the card changed
    after it was last drawn, or None.
    """

    state: str
    since: datetime | None
    waiting_since: datetime | None
    answered_at: datetime | None
    assignee_user_id: str | None
    revision: int | None
    is_drawn: bool
    changed_at: datetime | None


@dataclass(frozen=True, slots=True)
class MessageReport:
    """One message from i-Reserve; ``id`` is None if the message is not in the ledger yet."""

    id: int | None
    at: datetime
    kind: str
    key: str
    state: str
    reason: str | None
    detail: str | None
    cure: str
    post_id: str | None
    posts: int
    correlation_id: str | None
    said: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ReplyReport:
    """One reply of the team; ``pending_event`` is what i-Reserve has not received yet."""

    id: int
    at: datetime
    post_id: str
    path: str
    state: str
    visibility: str | None
    revision: int
    files: int
    pending_event: str | None
    given_up: bool
    reason: str | None
    detail: str | None
    cure: str
    said: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ConversationReport:
    """What is stored of one conversation, with its newest messages and replies in order of time."""

    licence: str
    conversation: str
    started_at: datetime | None
    last_active_at: datetime | None
    thread: ThreadReport | None
    card: CardReport | None
    waiting: int
    messages: tuple[MessageReport, ...]
    replies: tuple[ReplyReport, ...]
    personal: dict[str, Any] | None = None

    def data(self) -> dict[str, Any]:
        """Return the report as a dictionary, for a program."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _ReportRequest:
    licence: Licence
    lane: Lane
    limit: int
    personal: bool


def report_on(
    session: Session,
    redis: Redis,
    licence: Licence,
    conversation_id: str,
    *,
    limit: int,
    personal: bool,
) -> ConversationReport:
    """Return the report on the conversation.

    The report has at most ``limit`` messages and replies, and texts and names if ``personal``.

    Raises:
        RegistrationError: nothing is stored of the conversation.
    """
    request = _ReportRequest(
        licence, Lane.of_conversation(licence.id, conversation_id), limit, personal
    )
    row = session.scalar(
        select(Conversation).where(
            Conversation.licence_id == licence.id, Conversation.conversation_id == conversation_id
        )
    )
    messages = _messages(session, redis, request)
    if row is None and not messages:
        raise RegistrationError(
            f"nothing is stored of conversation {conversation_id!r} of licence {licence.id!r}"
        )
    return ConversationReport(
        licence=licence.id,
        conversation=conversation_id,
        started_at=(row.started_at or row.created_at) if row else None,
        last_active_at=row.last_active_at if row else None,
        thread=_thread(session, request, row) if row else None,
        card=_card(row) if row else None,
        waiting=count_waiting(redis, request.lane),
        messages=tuple(messages),
        replies=tuple(_replies(session, request, row)) if row else (),
        personal=_personal(row) if row and personal else None,
    )


def _thread(session: Session, request: _ReportRequest, row: Conversation) -> ThreadReport | None:
    if row.root_post_id is None:
        return None
    roots = root_posts(session, request.lane)
    return ThreadReport(
        root_post_id=row.root_post_id,
        permalink=permalink(request.licence.server_url, row.root_post_id),
        channel_id=row.channel_id,
        number=row.thread_number,
        earlier=tuple(root for root in roots if root != row.root_post_id),
    )


def _card(row: Conversation) -> CardReport:
    return CardReport(
        state=state_of(Thread.of(row)).value,
        since=row.state_at,
        waiting_since=row.waiting_since,
        answered_at=row.answered_at,
        assignee_user_id=row.assignee_user_id,
        revision=row.revision,
        is_drawn=row.root_post_id is not None and row.card_changed_at is None,
        changed_at=row.card_changed_at,
    )


def _personal(row: Conversation) -> dict[str, Any]:
    return {
        "visitor": row.visitor_name,
        "question": row.question,
        "subject": row.subject,
        "fields": dict(row.fields or ()),
        "page_url": row.page_url,
        "page_title": row.page_title,
        "conversation_url": row.conversation_url,
        "assignee": row.assignee_name,
        "assignee_username": row.assignee_username,
    }


def _messages(session: Session, redis: Redis, request: _ReportRequest) -> list[MessageReport]:
    """Return the messages of the ledger, then those in the lane that no worker has begun."""
    rows = select(Delivery).where(Delivery.lane == str(request.lane))
    begun = newest(session, rows, Delivery, limit=request.limit)
    known = {row.key for row in begun if not row.state.is_final}
    waiting = entries_of(redis, request.lane, limit=request.limit)
    fresh = [entry for entry in waiting if entry.key not in known]
    found = [_of_ledger(request, row) for row in begun]
    return [*found, *[_of_lane(request, entry) for entry in fresh]][-request.limit :]


def _of_ledger(request: _ReportRequest, row: Delivery) -> MessageReport:
    return MessageReport(
        id=row.id,
        at=row.enqueued_at,
        kind=row.kind.value,
        key=row.key,
        state=row.state.value,
        reason=row.reason,
        detail=row.detail,
        cure=cure_of(row.reason),
        post_id=row.post_id,
        posts=row.post_count,
        correlation_id=row.correlation_id,
        said=row.payload if request.personal else None,
    )


def _of_lane(request: _ReportRequest, entry: LaneEntry) -> MessageReport:
    return MessageReport(
        id=None,
        at=datetime.fromtimestamp(entry.enqueued_at_ms / 1_000, UTC),
        kind=entry.kind,
        key=entry.key,
        state=WAITING,
        reason=None,
        detail=None,
        cure="",
        post_id=None,
        posts=0,
        correlation_id=entry.correlation_id,
        said=entry.payload if request.personal else None,
    )


def _replies(session: Session, request: _ReportRequest, row: Conversation) -> list[ReplyReport]:
    rows = select(Reply).where(Reply.conversation_row == row.id)
    found = newest(session, rows, Reply, limit=request.limit)
    files = _files(session, [reply.id for reply in found])
    return [_of_inbox(request, reply, files.get(reply.id, 0)) for reply in found]


def _files(session: Session, reply_ids: Sequence[int]) -> dict[int, int]:
    of = ReplyAttachment.reply_id
    counted = select(of, func.count()).where(of.in_(reply_ids)).group_by(of)
    return {row[0]: row[1] for row in session.execute(counted)}


def _of_inbox(request: _ReportRequest, reply: Reply, files: int) -> ReplyReport:
    said = {"author": reply.author_name, "user": reply.author_user_id, "text": reply.plain_text}
    return ReplyReport(
        id=reply.id,
        at=reply.posted_at or reply.received_at,
        post_id=reply.post_id,
        path=reply.source.value,
        state=reply.state.value,
        visibility=reply.visibility and reply.visibility.value,
        revision=reply.revision,
        files=files,
        pending_event=reply.pending_event and reply.pending_event.value,
        given_up=reply.next_attempt_at == GIVEN_UP,
        reason=reply.reason,
        detail=reply.detail,
        cure=cure_of_reply(reply.reason),
        said=said if request.personal else None,
    )
