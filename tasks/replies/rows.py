"""A reply's row: what is known before an attempt, and what is written after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import (
    Conversation,
    Licence,
    Reply,
    ReplyEvent,
    ReplySource,
    ReplyState,
    Visibility,
    utc_now,
)
from tasks.mattermost import Post
from tasks.replies.authors import Author
from tasks.replies.files import File
from tasks.replies.notes import NotePrefixes
from tasks.replies.patience import GIVEN_UP, Obstacle, pause_s
from tasks.replies.plain_text import plain_text
from tasks.replies.receipts import Receipt


@dataclass(frozen=True, slots=True)
class Known:
    """What the row says before an attempt, and its licence's settings for replies."""

    id: int
    licence_id: str
    post_id: str
    source: ReplySource
    state: ReplyState
    revision: int
    post_update_at_ms: int
    attempts: int
    conversation_row: int | None
    conversation_id: str | None
    files: tuple[File, ...] = field(repr=False)
    receipt: Receipt | None
    is_pending: bool
    note_prefixes: NotePrefixes
    wants_receipts: bool


@dataclass(frozen=True, slots=True)
class Content:
    """A post as a reply: its text, how it reads, and who may read it."""

    text: str = field(repr=False)
    plain_text: str = field(repr=False)
    visibility: Visibility

    @classmethod
    def of(cls, message: str, prefixes: NotePrefixes) -> Content:
        """Return the message as a reply."""
        text = _storable(message)
        plain = plain_text(text)
        if prefixes.matches(text):
            return cls(text, prefixes.without_prefix(plain), Visibility.INTERNAL)
        return cls(text, plain, Visibility.PUBLIC)


def _storable(text: str) -> str:
    # PostgreSQL stores no NUL, and no database half of a broken emoji.
    return text.replace("\0", "").encode(errors="replace").decode()


def load(session: Session, reply_id: int) -> Known | None:
    """Return what is known of a reply; None when it was removed from the inbox."""
    row = session.get(Reply, reply_id)
    if row is None:
        return None
    licence = session.get_one(Licence, row.licence_id)
    conversation = row.conversation_row and session.get_one(Conversation, row.conversation_row)
    return Known(
        id=row.id,
        licence_id=row.licence_id,
        post_id=row.post_id,
        source=row.source,
        state=row.state,
        revision=row.revision,
        post_update_at_ms=row.post_update_at_ms,
        attempts=row.attempts,
        conversation_row=row.conversation_row,
        conversation_id=conversation.conversation_id if conversation else None,
        files=tuple(map(File.of_row, row.attachments)),
        receipt=_receipt(row),
        is_pending=row.pending_event is not None,
        note_prefixes=NotePrefixes.parse(licence.note_prefixes),
        wants_receipts=licence.receipts,
    )


def _receipt(row: Reply) -> Receipt | None:
    if row.next_attempt_at == GIVEN_UP:
        return Receipt.NOT_RECORDED
    return Receipt.of(row.visibility) if row.visibility else None


def find_conversation(session: Session, licence_id: str, root_post_id: str) -> Conversation | None:
    """Return the conversation of this licence whose thread has this root."""
    return session.scalar(
        select(Conversation).where(
            Conversation.licence_id == licence_id, Conversation.root_post_id == root_post_id
        )
    )


def has_conversation_without_thread(session: Session, licence_id: str) -> bool:
    """Say whether a conversation of the licence waits for its thread, or for the link to it."""
    waiting = select(Conversation.id).where(
        Conversation.licence_id == licence_id, Conversation.root_post_id.is_(None)
    )
    return session.scalar(waiting.limit(1)) is not None


def write_recorded(
    session: Session,
    known: Known,
    post: Post,
    *,
    conversation_row: int,
    author: Author,
    content: Content,
    files: Sequence[File],
) -> bool:
    """Write the reply as it is now; say whether i-Reserve is to be told of anything."""
    row = session.get_one(Reply, known.id)
    is_new = row.revision == 0
    is_changed = is_new or _differs(row, content, files)
    row.state = ReplyState.RECORDED
    row.post_update_at_ms = post.update_at_ms
    _settle(row)
    if not is_changed:
        return False
    row.conversation_row = conversation_row
    row.author_mattermost_id = author.mattermost_id
    row.author_user_id, row.author_name = author.user_id, author.name
    row.text, row.plain_text, row.visibility = content.text, content.plain_text, content.visibility
    row.posted_at = datetime.fromtimestamp(post.create_at_ms / 1_000, UTC)
    row.recorded_at = utc_now()
    _write_files(session, row, files)
    # What i-Reserve may not have been told of yet is new to it, also in its second version.
    was_told = not is_new and row.pending_event is not ReplyEvent.RECORDED
    _tell(row, ReplyEvent.EDITED if was_told else ReplyEvent.RECORDED)
    session.get_one(Conversation, conversation_row).last_active_at = utc_now()
    return True


def _differs(row: Reply, content: Content, files: Sequence[File]) -> bool:
    recorded = (row.text, row.visibility, [each.file_id for each in row.attachments])
    return recorded != (content.text, content.visibility, [each.file_id for each in files])


def _write_files(session: Session, row: Reply, files: Sequence[File]) -> None:
    row.attachments = []
    # The old rows go before new ones with the same ids come.
    session.flush()
    row.attachments = [file.to_row(position) for position, file in enumerate(files)]


def write_deleted(session: Session, known: Known, *, update_at_ms: int) -> None:
    """Forget what the reply said, and note that i-Reserve is to be told."""
    row = session.get_one(Reply, known.id)
    was_forgotten = _is_forgotten(row)
    row.state = ReplyState.DELETED
    row.text = row.plain_text = None
    row.attachments = []
    row.post_update_at_ms = max(row.post_update_at_ms, update_at_ms)
    _settle(row)
    if not was_forgotten:
        _tell(row, ReplyEvent.DELETED)


def _is_forgotten(row: Reply) -> bool:
    # A reply without words has an empty text.
    return row.text is None


def _tell(row: Reply, event: ReplyEvent) -> None:
    row.revision += 1
    row.pending_event = event


def remove(session: Session, known: Known) -> None:
    """Take a post that is no reply out of the inbox."""
    session.delete(session.get_one(Reply, known.id))


def keep(session: Session, known: Known) -> None:
    """Note that what is recorded still holds, and need not be asked for again."""
    row = session.get_one(Reply, known.id)
    row.state = ReplyState.DELETED if _is_forgotten(row) else ReplyState.RECORDED
    _settle(row)


def _settle(row: Reply) -> None:
    row.attempts, row.next_attempt_at = 0, utc_now()
    row.reason = row.detail = None


def postpone(session: Session, known: Known, obstacle: Obstacle) -> bool:
    """Write down why and until when the reply waits; False: the last attempt was over.

    A reply that was recorded before is `received` once more, until its change is recorded too.
    """
    row = session.get_one(Reply, known.id)
    now = utc_now()
    if row.state is not ReplyState.RECEIVED:
        row.state, row.received_at, row.attempts = ReplyState.RECEIVED, now, 0
    row.reason, row.detail = obstacle.reason, obstacle.detail
    row.attempts += obstacle.trouble.is_counted
    age_s = (now - row.received_at).total_seconds()
    seconds = pause_s(obstacle.trouble, age_s=age_s, attempts=row.attempts)
    row.next_attempt_at = GIVEN_UP if seconds is None else now + timedelta(seconds=seconds)
    return seconds is not None
