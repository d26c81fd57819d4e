"""Tell i-Reserve about a reply, at least once for each change."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Self

import structlog
from sqlalchemy import Update, update

from models import Reply, utc_now
from tasks.host_tasks import TRY_AGAIN_AFTER, send_host_task
from tasks.replies.known_reply import KnownReply
from tasks.runtime import Runtime

log = structlog.get_logger(__name__)

# The arguments that Flower and the logs may show.
SHOWN = ("licence_id", "conversation_id", "reply_id", "event", "revision", "post_id")


@dataclass(frozen=True, slots=True)
class ReplyNotice:
    """What i-Reserve is told of a reply: the arguments of its task."""

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

    @classmethod
    def of(cls, known: KnownReply) -> Self:
        """Return the notice of the reply's pending event."""
        assert known.pending_event is not None
        assert known.conversation_id is not None
        assert known.visibility is not None
        assert known.posted_at is not None
        return cls(
            reply_id=known.id,
            event=known.pending_event.value,
            revision=known.revision,
            licence_id=known.licence_id,
            conversation_id=known.conversation_id,
            post_id=known.post_id,
            visibility=known.visibility.value,
            author_user_id=known.author_user_id,
            author_name=known.author_name,
            text=known.text,
            plain_text=known.plain_text,
            posted_at=known.posted_at.isoformat(),
            attachments=[asdict(file) for file in known.files],
        )

    @property
    def task_id(self) -> str:
        """The task's id: the same for the same change, so that i-Reserve recognises a duplicate."""
        return f"{self.reply_id}-{self.event}-{self.revision}"

    def arguments(self) -> dict[str, Any]:
        """Return the task's keyword arguments."""
        return asdict(self)

    def ids(self) -> dict[str, Any]:
        """Return the arguments that Flower and the logs may show: ids only."""
        return {name: getattr(self, name) for name in SHOWN}


def hand_over(runtime: Runtime, known: KnownReply | None) -> bool:
    """Send i-Reserve's task for the reply's pending event; False: it waits, as the broker is down.

    Without the setting ``REPLY_TASK`` nothing is sent, since i-Reserve then reads the tables.
    """
    if known is None or known.pending_event is None:
        return True
    task = runtime.settings.reply_task
    is_sent = task is None or _send(runtime, task, ReplyNotice.of(known))
    with runtime.database.autocommit() as connection:
        connection.execute(_sent(known) if is_sent else _to_be_sent_later(known))
    return is_sent


def _send(runtime: Runtime, task: str, notice: ReplyNotice) -> bool:
    queue = runtime.settings.reply_queue
    is_sent = send_host_task(
        task, notice.arguments(), queue=queue, task_id=notice.task_id, ids=notice.ids()
    )
    if not is_sent:
        log.warning("reply_not_handed_over", reply_id=notice.reply_id, event_name=notice.event)
    return is_sent


def _sent(known: KnownReply) -> Update:
    # A change that was written meanwhile has another revision, and keeps its pending event.
    this = update(Reply).where(Reply.id == known.id, Reply.revision == known.revision)
    return this.values(pending_event=None, paused_until=None)


def _to_be_sent_later(known: KnownReply) -> Update:
    next_attempt_at = utc_now() + TRY_AGAIN_AFTER
    return update(Reply).where(Reply.id == known.id).values(next_attempt_at=next_attempt_at)
