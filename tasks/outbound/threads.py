"""A conversation and its thread, as the database has them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self, cast

from sqlalchemy import Connection, Table, bindparam, case, insert, null, select, update

from ireserve_mattermost.lanes import Lane
from ireserve_mattermost.messages import ChatMessage, ConversationChange, Message, RootPost
from models import Conversation, ConversationState, utc_now
from tasks.licences.access import LicenceAccess
from tasks.mattermost import Post
from tasks.outbound.conversation_changes import EnqueuedMessage, changed_columns
from tasks.outbound.job import Job
from tasks.outbound.missing_messages import MISSES_MESSAGES, has_unnamed

# How exactly a conversation's last activity is known. A smaller step would cost more writes.
ACTIVITY_STEP = timedelta(minutes=1)

# Plain statements on the table, because objects would take time for each message.
_ROWS = cast(Table, Conversation.__table__)


@dataclass(frozen=True, slots=True)
class Thread:
    """A stored conversation and its thread; ``root_post_id`` None: it has no thread."""

    conversation_row: int
    conversation_id: str
    channel_id: str
    root_post_id: str | None
    number: int
    last_active_at: datetime
    card_digest: str | None
    card_changed_at: datetime | None
    visitor_name: str | None
    page_url: str | None
    page_title: str | None
    started_at: datetime | None
    question: str | None
    subject: str | None
    conversation_url: str | None
    fields: list[list[str]] | None
    state: ConversationState | None
    state_at: datetime | None
    assignee_user_id: str | None
    assignee_name: str | None
    assignee_username: str | None
    revision: int | None
    waiting_since: datetime | None
    answered_at: datetime | None
    # Whether messages are missing that no message names; False also if this was not queried.
    misses_messages: bool = False

    @classmethod
    def of(cls, conversation: Conversation) -> Self:
        """Return the thread of a conversation that was loaded as an object."""
        stored = {name: getattr(conversation, name) for name in (*_OF_CARD, *_CHANGED_BY_MESSAGES)}
        return cls(
            conversation_row=conversation.id,
            conversation_id=conversation.conversation_id,
            channel_id=conversation.channel_id,
            root_post_id=conversation.root_post_id,
            number=conversation.thread_number,
            last_active_at=conversation.last_active_at,
            **stored,
        )

    @property
    def root_key(self) -> str:
        """The key under which the ledger keeps this thread's root post."""
        return f"root:{self.number}"

    @property
    def is_to_be_drawn(self) -> bool:
        """Whether the root post may be out of date."""
        return self.card_changed_at is not None or not self.card_digest


_OF_CARD = ("card_digest", "card_changed_at")
# The columns of a conversation that messages and changes set.
_CHANGED_BY_MESSAGES = (
    "visitor_name",
    "page_url",
    "page_title",
    "started_at",
    "question",
    "subject",
    "conversation_url",
    "fields",
    "state",
    "state_at",
    "assignee_user_id",
    "assignee_name",
    "assignee_username",
    "revision",
    "waiting_since",
    "answered_at",
)
# In the order of the fields of a Thread.
_COLUMNS = (
    _ROWS.c.id,
    _ROWS.c.conversation_id,
    _ROWS.c.channel_id,
    _ROWS.c.root_post_id,
    _ROWS.c.thread_number,
    _ROWS.c.last_active_at,
    *(_ROWS.c[name] for name in (*_OF_CARD, *_CHANGED_BY_MESSAGES)),
)
FIND_THREAD = select(*_COLUMNS, MISSES_MESSAGES).where(
    _ROWS.c.licence_id == bindparam("licence"), _ROWS.c.conversation_id == bindparam("conversation")
)


def find_thread(connection: Connection, message: Message) -> Thread | None:
    """Return the conversation of a message with its thread; None: it is not stored yet."""
    first = cast("RootPost | ChatMessage | ConversationChange", message)
    row = connection.execute(FIND_THREAD, wanted(first)).one_or_none()
    return None if row is None else found_thread(row)


def wanted(message: RootPost | ChatMessage | ConversationChange) -> dict[str, str]:
    """Return the parameters of ``FIND_THREAD``."""
    return {
        "licence": message.licence_id,
        "conversation": message.conversation_id,
        "lane": str(_lane_of(message)),
    }


def found_thread(row: Iterable[Any]) -> Thread:
    """Return the thread of a row of ``FIND_THREAD``."""
    thread = Thread(*row)
    if thread.card_changed_at is None:
        return thread
    # An earlier attempt may have drawn the card without recording it.
    return replace(thread, card_digest=None)


def _lane_of(message: RootPost | ChatMessage | ConversationChange) -> Lane:
    return Lane.of_conversation(message.licence_id, message.conversation_id)


def changes_nothing(thread: Thread, messages: Sequence[EnqueuedMessage]) -> bool:
    """Return whether these messages change nothing of the stored conversation."""
    return not _changes(thread, messages)


def _changes(thread: Thread | None, messages: Sequence[EnqueuedMessage]) -> dict[str, Any]:
    known = {name: getattr(thread, name, None) for name in _CHANGED_BY_MESSAGES}
    return changed_columns(known, messages)


def store_changes(
    connection: Connection,
    thread: Thread | None,
    messages: Sequence[EnqueuedMessage],
    licence: LicenceAccess,
) -> Thread:
    """Store the messages' changes of the conversation, and return its thread.

    A conversation that is not stored yet is inserted. ``thread`` is the result of ``find_thread``
    under the same lock of the lane.
    """
    changes = _changes(thread, messages)
    if thread is None:
        first = cast("RootPost | ChatMessage | ConversationChange", messages[0].message)
        made = insert(_ROWS).values(
            licence_id=first.licence_id,
            conversation_id=first.conversation_id,
            channel_id=licence.default_channel_id,
            thread_number=1,
            **changes,
        )
        thread = Thread(*connection.execute(made.returning(*_COLUMNS)).one())
        # Messages that failed before the conversation was stored are missing in its thread.
        return replace(thread, misses_messages=has_unnamed(connection, _lane_of(first)))
    if not changes:
        return thread
    changes["card_changed_at"] = utc_now()
    connection.execute(update(_ROWS).where(_ROWS.c.id == thread.conversation_row).values(**changes))
    return replace(thread, **changes)


def root_payload(lane: Lane, thread: Thread) -> dict[str, object]:
    """Return the arguments of ``create_root_post`` that make this thread's root post."""
    return {
        "licence_id": lane.licence_id,
        "conversation_id": thread.conversation_id,
        "visitor_name": thread.visitor_name or "",
        "page_url": thread.page_url,
        "started_at": thread.started_at.isoformat() if thread.started_at else None,
        "question": thread.question,
        "page_title": thread.page_title,
        "conversation_url": thread.conversation_url,
        "fields": thread.fields,
    }


def link_root(connection: Connection, thread: Thread, root: Post, *, card_digest: str) -> Thread:
    """Link the conversation with its root post, which shows this card; return the new thread."""
    linked = {"root_post_id": root.id, "channel_id": root.channel_id}
    return note_drawn(connection, thread, card_digest, **linked)


def note_drawn(connection: Connection, thread: Thread, card_digest: str, **linked: str) -> Thread:
    """Record the card that the root post shows now; return the updated thread.

    A change that was stored meanwhile still has to be drawn.
    """
    changed_at = _ROWS.c.card_changed_at
    still = case((changed_at == thread.card_changed_at, null()), else_=changed_at)
    connection.execute(
        update(_ROWS)
        .where(_ROWS.c.id == thread.conversation_row)
        .values(card_digest=card_digest, card_changed_at=still, **linked)
    )
    values: dict[str, Any] = {"card_digest": card_digest, "card_changed_at": None, **linked}
    return replace(thread, **values)


def note_activity(connection: Connection, thread: Thread) -> None:
    """Record the conversation's activity, at most once a minute.

    Catch-up looks more often at conversations that were active lately.
    """
    if utc_now() - thread.last_active_at >= ACTIVITY_STEP:
        connection.execute(
            update(Conversation)
            .where(Conversation.id == thread.conversation_row)
            .values(last_active_at=utc_now())
        )


def begin_new_thread(job: Job, thread: Thread) -> Thread:
    """Forget the thread, whose root post was deleted; return the next one, without a root post."""
    fresh = replace(
        thread,
        root_post_id=None,
        number=thread.number + 1,
        channel_id=job.licence.default_channel_id,
    )
    with job.database.connection() as connection:
        connection.execute(
            update(Conversation)
            .where(Conversation.id == thread.conversation_row)
            .values(root_post_id=None, thread_number=fresh.number, channel_id=fresh.channel_id)
        )
    return fresh
