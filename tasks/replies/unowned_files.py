"""Files that no reply has (yet, or any more): each path is written down before its file is.

A worker may be killed between writing a file and committing the reply's row. So the file's path is
committed to this table first. The commit that gives the file to a reply removes the path, and the
commit that takes the file from the reply adds it again. Only files in this table are ever removed,
and only if no reply has them or waits for them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import structlog
from sqlalchemy import ColumnElement, Connection, Table, and_, delete, func, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models import Database, Reply, ReplyAttachment, ReplyState, UnownedFile, utc_now
from tasks.attachments import AttachmentError
from tasks.attachments.store import AttachmentStore
from tasks.locks import Locks
from tasks.replies.backoff import GIVEN_UP

log = structlog.get_logger(__name__)

# The most posts of one run; the next run goes on with the others.
POSTS = 500
# A store that is away fails for each file, each time only after a time limit.
MAX_FAILURES = 3

_FILES = cast(Table, UnownedFile.__table__)
_COLUMNS = ("path", "licence_id", "post_id", "written_at")
# Both dialects have the same clause, but SQLAlchemy has no common function for it.
_INSERTS = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}


@dataclass(frozen=True, slots=True)
class Removed:
    """How many files were removed, and how many could not be."""

    files: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class RemovalContext:
    """What it takes to remove files: the rows, the store, and the lock of each reply."""

    database: Database
    store: AttachmentStore
    locks: Locks


def write_down(
    connection: Connection, *, licence_id: str, post_id: str, paths: Sequence[str]
) -> None:
    """Write down that files may be at these paths that no reply has."""
    if not paths:
        return
    shared = {"licence_id": licence_id, "post_id": post_id, "written_at": utc_now()}
    insert: Any = _INSERTS[connection.dialect.name](_FILES)
    insert = insert.values([{"path": path, **shared} for path in paths])
    connection.execute(_or_update(insert))


def write_down_files_of(session: Session, replies: ColumnElement[bool]) -> None:
    """Write down the files of these replies, whose rows this transaction deletes."""
    rows = (
        select(ReplyAttachment.path, Reply.licence_id, Reply.post_id, literal(utc_now()))
        .join(Reply, Reply.id == ReplyAttachment.reply_id)
        .where(replies, ReplyAttachment.path.is_not(None))
    )
    insert: Any = _INSERTS[session.get_bind().dialect.name](_FILES)
    session.execute(_or_update(insert.from_select(_COLUMNS, rows)))


def _or_update(insert: Any) -> Any:
    ours = {name: insert.excluded[name] for name in _COLUMNS[1:]}
    return insert.on_conflict_do_update(index_elements=["path"], set_=ours)


def remove_paths(connection: Connection, paths: Sequence[str]) -> None:
    """Remove paths whose files a reply has from this transaction on, or whose files are gone."""
    if paths:
        connection.execute(delete(_FILES).where(_FILES.c.path.in_(paths)))


def remove_unowned(context: RemovalContext, *, licence_id: str | None = None) -> Removed:
    """Remove files that no reply has or waits for, of one licence or of all; the oldest first."""
    done = Removed()
    for whose, post_id in _posts(context.database, licence_id):
        with context.locks.of_reply(whose, post_id) as lock:
            if lock is not None:
                found = remove_of_post(
                    context.database, context.store, whose, post_id, on_progress=lock.extend
                )
                done = Removed(done.files + found.files, done.failed + found.failed)
        if done.failed >= MAX_FAILURES:
            break
    return done


def remove_of_post(
    database: Database,
    store: AttachmentStore,
    licence_id: str,
    post_id: str,
    *,
    on_progress: Callable[[], None],
) -> Removed:
    """Remove the files of this post that no reply has; the caller holds the reply's lock."""
    files = failed = 0
    for path, is_owned in _paths(database, licence_id, post_id):
        on_progress()
        if is_owned or _is_gone(store, path, post_id):
            with database.autocommit() as connection:
                remove_paths(connection, [path])
            files += not is_owned
        else:
            failed += 1
    if failed:
        _put_behind_others(database, licence_id, post_id)
    return Removed(files, failed)


def count_unowned(session: Session) -> int:
    """Return how many files no reply has or waits for: they are still to be removed."""
    return session.scalar(select(func.count()).select_from(UnownedFile).where(~_is_awaited())) or 0


def _posts(database: Database, licence_id: str | None) -> list[tuple[str, str]]:
    found = select(_FILES.c.licence_id, _FILES.c.post_id).where(~_is_awaited())
    if licence_id is not None:
        found = found.where(_FILES.c.licence_id == licence_id)
    oldest = func.min(_FILES.c.written_at)
    found = found.group_by(_FILES.c.licence_id, _FILES.c.post_id).order_by(oldest).limit(POSTS)
    with database.reading() as connection:
        return [(whose, post_id) for whose, post_id in connection.execute(found)]


def _paths(database: Database, licence_id: str, post_id: str) -> list[tuple[str, bool]]:
    """Return the post's paths in the table, each with whether a reply has the file after all."""
    is_owned = select(ReplyAttachment.id).where(ReplyAttachment.path == _FILES.c.path).exists()
    found = select(_FILES.c.path, is_owned).where(
        _FILES.c.licence_id == licence_id, _FILES.c.post_id == post_id, ~_is_awaited()
    )
    with database.reading() as connection:
        return [(path, bool(owned)) for path, owned in connection.execute(found)]


def _is_awaited() -> ColumnElement[bool]:
    """Return whether the reply is still to be recorded, so that the next attempt uses the file."""
    reply = and_(Reply.licence_id == _FILES.c.licence_id, Reply.post_id == _FILES.c.post_id)
    is_open = and_(Reply.state == ReplyState.RECEIVED, Reply.next_attempt_at < GIVEN_UP)
    return select(Reply.id).where(reply, is_open).exists()


def _is_gone(store: AttachmentStore, path: str, post_id: str) -> bool:
    try:
        store.remove(path)
    except AttachmentError as error:
        log.warning("file_not_removed", post_id=post_id, reason=error.reason.value)
        return False
    return True


def _put_behind_others(database: Database, licence_id: str, post_id: str) -> None:
    """Put the post's paths behind those of other posts, so that they hold up no others."""
    these = (_FILES.c.licence_id == licence_id, _FILES.c.post_id == post_id)
    with database.autocommit() as connection:
        connection.execute(update(_FILES).where(*these).values(written_at=utc_now()))
