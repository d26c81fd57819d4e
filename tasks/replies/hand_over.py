"""Tell i-Reserve about a reply, at least once for each change."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

import structlog
from kombu.exceptions import OperationalError
from sqlalchemy import update
from sqlalchemy.orm import Session

from models import Conversation, Reply, ReplyEvent, utc_now
from tasks.app import app
from tasks.replies.files import File
from tasks.runtime import Runtime

log = structlog.get_logger(__name__)

# The sweep runs by the same broker, so that it comes back when the broker does.
PAUSE = timedelta(seconds=5)
# What Flower and the logs may show of it.
SHOWN = ("reply_id", "event", "revision", "licence_id", "conversation_id", "post_id")


@dataclass(frozen=True, slots=True)
class Message:
    """What i-Reserve is told, as the arguments of its task."""

    reply_id: int
    event: str
    revision: int
    licence_id: str
    conversation_id: str
    post_id: str
    visibility: str
    author_user_id: str | None
    author_name: str | None = field(repr=False)
    text: str | None = field(repr=False)
    plain_text: str | None = field(repr=False)
    posted_at: str
    attachments: list[dict[str, Any]] = field(repr=False)

    @property
    def task_id(self) -> str:
        """Return the task's id: the same for the same change, so that a double is recognised."""
        return f"{self.reply_id}-{self.event}-{self.revision}"

    def arguments(self) -> dict[str, Any]:
        """Return the task's keyword arguments."""
        return asdict(self)

    def shown(self) -> str:
        """Return the arguments as Flower and the logs may show them: ids, and no more."""
        return repr({name: getattr(self, name) for name in SHOWN})


def hand_over(runtime: Runtime, reply_id: int) -> bool:
    """Send i-Reserve's task for the reply's pending event; False: the broker is down, it waits.

    Without ``REPLY_TASK`` nothing is sent: i-Reserve reads the tables.
    """
    with runtime.database.transaction() as session:
        message = _pending(session, reply_id)
    if message is None:
        return True
    is_sent = runtime.settings.reply_task is None or _send(runtime, message)
    with runtime.database.transaction() as session:
        if is_sent:
            _clear(session, message)
        else:
            _wait(session, message)
    return is_sent


def _pending(session: Session, reply_id: int) -> Message | None:
    row = session.get(Reply, reply_id)
    if row is None or row.pending_event is None:
        return None
    return _message(session, row, row.pending_event)


def _message(session: Session, row: Reply, event: ReplyEvent) -> Message:
    assert row.visibility is not None
    assert row.posted_at is not None
    conversation = session.get_one(Conversation, row.conversation_row)
    return Message(
        reply_id=row.id,
        event=event.value,
        revision=row.revision,
        licence_id=row.licence_id,
        conversation_id=conversation.conversation_id,
        post_id=row.post_id,
        visibility=row.visibility.value,
        author_user_id=row.author_user_id,
        author_name=row.author_name,
        text=row.text,
        plain_text=row.plain_text,
        posted_at=row.posted_at.isoformat(),
        attachments=[asdict(File.of_row(file)) for file in row.attachments],
    )


def _send(runtime: Runtime, message: Message) -> bool:
    try:
        app.send_task(
            runtime.settings.reply_task,
            kwargs=message.arguments(),
            queue=runtime.settings.reply_queue,
            task_id=message.task_id,
            argsrepr="()",
            kwargsrepr=message.shown(),
            ignore_result=True,
        )
    except OperationalError:
        # Its text may hold the broker's address with a password.
        log.warning("reply_not_handed_over", reply_id=message.reply_id, event_name=message.event)
        return False
    return True


def _clear(session: Session, message: Message) -> None:
    # A change that came meanwhile has another revision, and is still to be told.
    session.execute(
        update(Reply)
        .where(Reply.id == message.reply_id, Reply.revision == message.revision)
        .values(pending_event=None)
    )


def _wait(session: Session, message: Message) -> None:
    session.execute(
        update(Reply).where(Reply.id == message.reply_id).values(next_attempt_at=utc_now() + PAUSE)
    )
