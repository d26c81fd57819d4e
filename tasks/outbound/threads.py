"""The thread of a conversation as the database knows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self, cast

from sqlalchemy import Connection, Table, bindparam, insert, select, update

from ireserve_mattermost.lanes import Lane
from ireserve_mattermost.messages import ChatMessage, RootPost
from models import Conversation, utc_now
from tasks.licences.access import LicenceAccess
from tasks.mattermost import Post
from tasks.outbound.job import Job

# How exactly a conversation's last activity is known; finer would cost a write for each message.
ACTIVITY_STEP = timedelta(hours=1)

# Plain statements on the table: this is the path of every message, and objects cost their time.
_ROWS = cast(Table, Conversation.__table__)


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation as it is stored, and its thread; ``root_post_id`` None: there is none."""

    conversation_row: int
    conversation_id: str
    visitor_name: str | None
    page_url: str | None
    started_at: datetime | None
    channel_id: str
    root_post_id: str | None
    number: int
    last_active_at: datetime

    @classmethod
    def of(cls, conversation: Conversation) -> Self:
        """Return the thread of a conversation that was read as a whole."""
        return cls(
            conversation_row=conversation.id,
            conversation_id=conversation.conversation_id,
            visitor_name=conversation.visitor_name,
            page_url=conversation.page_url,
            started_at=conversation.started_at,
            channel_id=conversation.channel_id,
            root_post_id=conversation.root_post_id,
            number=conversation.thread_number,
            last_active_at=conversation.last_active_at,
        )

    @property
    def root_key(self) -> str:
        """Return the key under which the ledger keeps this thread's root post."""
        return f"root:{self.number}"


# In the order of the fields of a Thread.
_COLUMNS = (
    _ROWS.c.id,
    _ROWS.c.conversation_id,
    _ROWS.c.visitor_name,
    _ROWS.c.page_url,
    _ROWS.c.started_at,
    _ROWS.c.channel_id,
    _ROWS.c.root_post_id,
    _ROWS.c.thread_number,
    _ROWS.c.last_active_at,
)
_LEARNED = ("visitor_name", "page_url", "started_at")
_FIND = select(*_COLUMNS).where(
    _ROWS.c.licence_id == bindparam("licence"), _ROWS.c.conversation_id == bindparam("conversation")
)


def load_thread(
    connection: Connection, messages: Sequence[RootPost | ChatMessage], licence: LicenceAccess
) -> Thread:
    """Return the conversation of these messages with its thread; it is made if need be."""
    licence_id, conversation_id = messages[0].licence_id, messages[0].conversation_id
    wanted = {"licence": licence_id, "conversation": conversation_id}
    row = connection.execute(_FIND, wanted).one_or_none()
    thread = Thread(*row) if row is not None else None
    learned = _learned(thread, messages)
    if thread is None:
        made = insert(_ROWS).values(
            licence_id=licence_id,
            conversation_id=conversation_id,
            channel_id=licence.default_channel_id,
            thread_number=1,
            **learned,
        )
        return Thread(*connection.execute(made.returning(*_COLUMNS)).one())
    if not learned:
        return thread
    connection.execute(update(_ROWS).where(_ROWS.c.id == thread.conversation_row).values(**learned))
    return replace(thread, **learned)


def _learned(thread: Thread | None, messages: Sequence[RootPost | ChatMessage]) -> dict[str, Any]:
    """Return what the messages tell of the conversation, for this root post and a later one."""
    known = {name: getattr(thread, name, None) for name in _LEARNED}
    told = dict(known)
    for message in messages:
        if isinstance(message, RootPost):
            # PostgreSQL stores no NUL, and no reader misses one.
            told["visitor_name"] = message.visitor_name.replace("\0", "")
            told["page_url"] = message.page_url and message.page_url.replace("\0", "")
            told["started_at"] = message.started_at
        elif told["visitor_name"] is None and message.sender_role == "visitor":
            told["visitor_name"] = message.sender_name.replace("\0", "")
    return {name: value for name, value in told.items() if value != known[name]}


def root_payload(lane: Lane, thread: Thread) -> dict[str, object]:
    """Return the arguments of ``create_root_post`` that make this thread's root post."""
    return {
        "licence_id": lane.licence_id,
        "conversation_id": thread.conversation_id,
        "visitor_name": thread.visitor_name or "",
        "page_url": thread.page_url,
        "started_at": thread.started_at.isoformat() if thread.started_at else None,
    }


def link_root(connection: Connection, thread: Thread, root: Post) -> None:
    """Link the conversation with its root post."""
    connection.execute(
        update(Conversation)
        .where(Conversation.id == thread.conversation_row)
        .values(root_post_id=root.id, channel_id=root.channel_id)
    )


def note_activity(connection: Connection, thread: Thread) -> None:
    """Note that the conversation is alive, once an hour at most: catch-up looks at live ones."""
    if utc_now() - thread.last_active_at >= ACTIVITY_STEP:
        connection.execute(
            update(Conversation)
            .where(Conversation.id == thread.conversation_row)
            .values(last_active_at=utc_now())
        )


def begin_new_thread(job: Job, thread: Thread) -> Thread:
    """Forget the thread whose root is gone; the next one continues it."""
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
