"""Read and write a reply's row together with its files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Update, delete, insert, select, update

from models import (
    Reply,
    ReplyAttachment,
    ReplyEvent,
    ReplyState,
    utc_now,
)
from tasks.mattermost import Post
from tasks.replies.authors import Author
from tasks.replies.content import Content
from tasks.replies.files import File, paths_of
from tasks.replies.known_reply import KnownReply
from tasks.replies.owners import ThreadOwner
from tasks.replies.statements import BY_ID, RECORDED, RECORDED_AGAIN
from tasks.replies.unowned_files import remove_paths, write_down

# The worker that writes a change also tells i-Reserve of it. If it dies first, the sweep wakes
# another worker after this time, which is longer than a call to the broker may take.
TOLD_WITHIN = timedelta(seconds=5)
# An attempt that ends well removes what an earlier one met.
_NO_TROUBLE: dict[str, Any] = {"reason": None, "detail": None}
# The columns that change when a reply is settled without being recorded anew.
_WRITTEN = (
    *("state", "conversation_row", "text", "plain_text", "post_update_at_ms", "revision"),
    *("pending_event", "attempts", "next_attempt_at", "paused_until", "receipt_due_at"),
)


def load(connection: Connection, reply_ids: Sequence[int]) -> list[KnownReply]:
    """Return those of the replies that are in the inbox, in the order of their ids."""
    if not reply_ids:
        return []
    found = connection.execute(BY_ID, {"reply_ids": list(reply_ids)})
    rows = [dict(zip(found.keys(), row, strict=True)) for row in found]
    files = _files(connection, [row["id"] for row in rows if row["revision"]])
    return [KnownReply(**row, files=tuple(files[row["id"]])) for row in rows]


def _files(connection: Connection, reply_ids: Sequence[int]) -> defaultdict[int, list[File]]:
    """Return the files of replies by reply id; only replies that were recorded have any."""
    files: defaultdict[int, list[File]] = defaultdict(list)
    if reply_ids:
        rows = select(*ReplyAttachment.__table__.columns)
        rows = rows.where(ReplyAttachment.reply_id.in_(reply_ids))
        for row in connection.execute(rows.order_by(ReplyAttachment.position)):
            files[row.reply_id].append(File.of_row(row))
    return files


def write_recorded(
    connection: Connection,
    known: KnownReply,
    post: Post,
    *,
    owner: ThreadOwner,
    author: Author,
    content: Content,
    files: Sequence[File],
    attempt: str,
) -> KnownReply | None:
    """Write the reply with its pending event, and return it; None: its row is gone.

    ``attempt`` is the attempt that fetched the files.
    """
    now = utc_now()
    values: dict[str, Any] = {
        "state": ReplyState.RECORDED,
        "conversation_row": owner.row,
        "author_user_id": author.user_id,
        "author_name": author.name,
        "text": content.text,
        "plain_text": content.plain_text,
        "visibility": content.visibility,
        "posted_at": posted_at_of(post, now),
        "post_update_at_ms": post.update_at_ms,
        "revision": known.revision + 1,
        **_settled(now),
    }
    written = replace(
        known, **values, conversation_id=owner.conversation_id, files=tuple(files)
    ).with_due_receipt(now)
    ours = {"author_mattermost_id": author.mattermost_id, "recorded_at": now}
    values |= {**ours, "receipt_due_at": written.receipt_due_at}
    change = RECORDED_AGAIN if known.revision else RECORDED
    event = connection.execute(change, {**values, "row": known.id}).scalar_one_or_none()
    if event is None:
        return None
    write_files(connection, known, files, attempt)
    return replace(written, pending_event=event)


def posted_at_of(post: Post, now: datetime) -> datetime:
    """Return when the post was made."""
    # If the server names no time, or an impossible one, the present time is taken.
    return datetime.fromtimestamp(post.create_at_ms / 1_000, UTC) if post.create_at_ms else now


def write_files(
    connection: Connection, known: KnownReply, files: Sequence[File], attempt: str
) -> None:
    """Write which files the reply has now, and note that those it has no more are to be removed."""
    if tuple(files) == known.files:
        return
    kept = {file.path for file in files}
    left = [file.path for file in known.files if file.path and file.path not in kept]
    write_down(connection, licence_id=known.licence_id, post_id=known.post_id, paths=left)
    remove_paths(connection, paths_of(files, attempt))
    if known.files:
        connection.execute(delete(ReplyAttachment).where(ReplyAttachment.reply_id == known.id))
    if files:
        rows = [file.to_row(known.id, position) for position, file in enumerate(files)]
        connection.execute(insert(ReplyAttachment), rows)


def differs(known: KnownReply, content: Content, files: Sequence[File]) -> bool:
    """Return whether text, reader or files differ from the recorded reply."""
    recorded = (known.text, known.visibility, [(each.file_id, each.path) for each in known.files])
    return recorded != (
        content.text,
        content.visibility,
        [(each.file_id, each.path) for each in files],
    )


def write_unchanged(
    connection: Connection, known: KnownReply, *, update_at_ms: int | None = None
) -> KnownReply:
    """Note that the recorded reply still holds, for a later version of the post if one is given."""
    now = utc_now()
    kept = replace(
        known,
        paused_until=None,
        # A reply without words has an empty text; only a deleted one has none.
        state=ReplyState.DELETED if known.text is None else ReplyState.RECORDED,
        post_update_at_ms=update_at_ms or known.post_update_at_ms,
        **_settled(now),
    )
    # Without a new version nothing new is known of the post, so it keeps its receipt.
    settled = kept if update_at_ms is None else kept.with_due_receipt(now)
    return _write_settled(connection, known, settled)


def write_empty(
    connection: Connection,
    known: KnownReply,
    post: Post,
    *,
    owner: ThreadOwner | None,
    reason: str | None = None,
) -> KnownReply:
    """Note that no visitor sees the post, of which i-Reserve was told nothing."""
    now = utc_now()
    empty = replace(
        known,
        paused_until=None,
        state=ReplyState.EMPTY,
        conversation_row=None if owner is None else owner.row,
        post_update_at_ms=post.update_at_ms,
        **_settled(now),
    )
    return _write_settled(connection, known, empty.with_due_receipt(now), reason=reason)


def write_deleted(
    connection: Connection, known: KnownReply, post: Post, *, is_gone: bool
) -> KnownReply:
    """Remove what the reply said, and note that i-Reserve is to be told, if it has not been yet.

    ``is_gone``: the post was deleted, so it can get no receipt.
    """
    now = utc_now()
    deleted = replace(
        known,
        paused_until=None,
        state=ReplyState.DELETED,
        text=None,
        plain_text=None,
        post_update_at_ms=post.update_at_ms,
        receipt_due_at=None,
        files=(),
        **_settled(now),
    )
    if known.text is not None:
        event = ReplyEvent.DELETED
        deleted = replace(deleted, revision=known.revision + 1, pending_event=event)
    write_files(connection, known, (), "")
    settled = deleted if is_gone else deleted.with_due_receipt(now)
    return _write_settled(connection, known, settled)


def _write_settled(
    connection: Connection, known: KnownReply, settled: KnownReply, *, reason: str | None = None
) -> KnownReply:
    """Write what has become of the reply, and return it."""
    values = {
        column: getattr(settled, column)
        for column in _WRITTEN
        if getattr(settled, column) != getattr(known, column)
    }
    connection.execute(_row(known).values(**values, **_NO_TROUBLE | {"reason": reason}))
    return settled


def _row(known: KnownReply) -> Update:
    return update(Reply).where(Reply.id == known.id)


def _settled(now: datetime) -> dict[str, Any]:
    return {"attempts": 0, "next_attempt_at": now + TOLD_WITHIN}


def remove(connection: Connection, known: KnownReply) -> None:
    """Take a post that is no reply out of the inbox."""
    connection.execute(delete(Reply).where(Reply.id == known.id))


def write_postponed(
    connection: Connection, known: KnownReply, waiting: KnownReply, *, reason: str, detail: str
) -> None:
    """Write down why and until when the reply waits, unless it has been settled meanwhile."""
    still = _row(known).where(Reply.revision == known.revision, Reply.state == known.state)
    connection.execute(
        still.values(
            state=waiting.state,
            received_at=waiting.received_at,
            attempts=waiting.attempts,
            next_attempt_at=waiting.next_attempt_at,
            paused_until=waiting.paused_until,
            receipt_due_at=waiting.receipt_due_at,
            reason=reason,
            detail=detail,
        )
    )
