"""Finds files of earlier versions in the store, whose paths were never recorded.

Only this module searches the store, one licence's folder at a time. A file with a path in our form
may still belong to i-Reserve. So an operator sees the list before any file is removed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from models import Database, ReplyAttachment, UnownedFile, utc_now
from tasks.attachments.store import AttachmentStore, ListedFile
from tasks.replies.file_paths import folder_of
from tasks.replies.unowned_files import RemovalContext, Removed, remove_unowned, write_down

# A worker of an earlier version may still be writing a younger file.
YOUNGEST = timedelta(days=1)
# A file's id in Mattermost, with a suffix if the file was not collected completely.
_NAME = re.compile(r"[a-z0-9]{26}(\.[0-9a-f]{32}\.part)?")
_DEPTH = 3
# The number of paths in one statement.
_PORTION = 500
# Stands for the id of the post, which is unknown.
NO_POST = "left-behind"


@dataclass(frozen=True, slots=True)
class LeftFile:
    """A file that no reply has, and whose path was never recorded."""

    licence: str
    path: str
    size_bytes: int
    modified_at: datetime


def find_left_files(
    database: Database, store: AttachmentStore, licence_ids: Iterable[str]
) -> list[LeftFile]:
    """Return the files in these licences' folders that belong to no reply.

    Raises:
        AttachmentError: the store cannot be reached.
    """
    return [
        LeftFile(licence_id, file.path, file.size_bytes, file.modified_at)
        for licence_id in licence_ids
        for file in _unknown(database, _candidates(store, licence_id))
    ]


def _candidates(store: AttachmentStore, licence_id: str) -> list[ListedFile]:
    before = utc_now() - YOUNGEST
    return [
        file
        for file in store.files_in(folder_of(licence_id))
        if _is_like_ours(file.path) and file.modified_at < before
    ]


def _is_like_ours(path: str) -> bool:
    parts = path.split("/")
    return len(parts) == _DEPTH and _NAME.fullmatch(parts[-1]) is not None


def _unknown(database: Database, files: Sequence[ListedFile]) -> Iterator[ListedFile]:
    for start in range(0, len(files), _PORTION):
        portion = files[start : start + _PORTION]
        paths = [file.path for file in portion]
        with database.snapshot() as session:
            found: set[str | None] = {
                *session.scalars(
                    select(ReplyAttachment.path).where(ReplyAttachment.path.in_(paths))
                ),
                *session.scalars(select(UnownedFile.path).where(UnownedFile.path.in_(paths))),
            }
        yield from (file for file in portion if file.path not in found)


def remove_left_files(context: RemovalContext, files: Sequence[LeftFile]) -> Removed:
    """Record the paths and remove the files; retention later removes those that failed."""
    for licence_id in dict.fromkeys(file.licence for file in files):
        paths = [file.path for file in files if file.licence == licence_id]
        for start in range(0, len(paths), _PORTION):
            with context.database.autocommit() as connection:
                write_down(
                    connection,
                    licence_id=licence_id,
                    post_id=NO_POST,
                    paths=paths[start : start + _PORTION],
                )
    done = Removed()
    for licence_id in dict.fromkeys(file.licence for file in files):
        found = remove_unowned(context, licence_id=licence_id)
        done = Removed(done.files + found.files, done.failed + found.failed)
    return done
