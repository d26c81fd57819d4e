"""Fetch the files of a reply from Mattermost into the attachment store, one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self
from uuid import uuid4

import structlog
from sqlalchemy import Row

from models import ReplyAttachment
from models.reply import CONTENT_TYPE_LENGTH, FILE_NAME_LENGTH
from tasks.attachments import AttachmentError, AttachmentReason
from tasks.attachments.store import AttachmentStore
from tasks.mattermost import (
    Download,
    FileInfo,
    MattermostClient,
    MattermostError,
    NotSentError,
    Post,
    RateLimitedError,
    Reason,
    RefusedError,
)
from tasks.rendering import safe_file_name
from tasks.replies.backoff import PostponedError, Trouble
from tasks.replies.file_paths import path_of, temporary_of

log = structlog.get_logger(__name__)

# The time that 100 MB take at 3 Mbit/s; files to Mattermost have the same limit.
TOTAL_TIMEOUT_S = 300.0
UNKNOWN_TYPE = "application/octet-stream"
# The reason of a missing file that an operator has asked for again.
ASKED_AGAIN = "asked_again"
_AWAITED = frozenset({AttachmentReason.STORE_UNAVAILABLE.value, ASKED_AGAIN})


@dataclass(frozen=True, slots=True)
class File:
    """A file of a reply: in the store at ``path``, or missing for ``reason``."""

    file_id: str
    name: str = field(repr=False)
    content_type: str
    size_bytes: int
    sha256: str | None = None
    path: str | None = None
    reason: str | None = None

    @classmethod
    def of_row(cls, row: ReplyAttachment | Row[Any]) -> Self:
        """Return the file as it is recorded."""
        return cls(
            row.file_id,
            row.name,
            row.content_type,
            row.size_bytes,
            row.sha256,
            row.path,
            row.reason,
        )

    @property
    def is_awaited(self) -> bool:
        """Whether the file is still to be fetched, or to be fetched again."""
        return self.reason in _AWAITED

    def to_row(self, reply_id: int, position: int) -> dict[str, Any]:
        """Return the columns of the file as it is to be recorded."""
        return {"reply_id": reply_id, "position": position, **asdict(self)}


@dataclass(frozen=True, slots=True)
class Fetching:
    """What it takes to fetch the files of one reply.

    ``extend`` keeps the reply's lock and is called while a file comes in. ``is_last``: a file that
    breaks off now is recorded as missing. ``write_down`` commits paths before a file is written
    there. ``attempt`` keeps the temporary files of two attempts apart.
    """

    client: MattermostClient
    store: AttachmentStore
    licence_id: str
    conversation_id: str
    limit_bytes: int
    known: dict[str, File]
    is_last: bool
    extend: Callable[[], None]
    write_down: Callable[[Sequence[str]], None]
    attempt: str = field(default_factory=lambda: uuid4().hex)

    def path_of(self, info: FileInfo) -> str:
        """Return where the file lies in the store."""
        return path_of(self.licence_id, self.conversation_id, info.id)


def fetch_files(fetching: Fetching, post: Post) -> list[File]:
    """Return the post's files in the order of their upload, each stored or missing with a reason.

    A file that is in the store already is not fetched again.

    Raises:
        PostponedError: a file broke off and may come whole the next time.
        NotSentError, RateLimitedError: the server is away, or asks for a pause.
    """
    infos = _infos(fetching, post)
    paths = [
        path
        for info in infos
        if _known(fetching, info) is None
        for path in _paths_of(fetching.path_of(info), fetching.attempt)
    ]
    if paths:
        fetching.write_down(paths)
    return [_known(fetching, info) or _fetch(fetching, info) for info in infos]


def paths_of(files: Sequence[File], attempt: str) -> list[str]:
    """Return all paths at which the attempt may have written these files, which are stored now."""
    return [path for file in files if file.path for path in _paths_of(file.path, attempt)]


def _paths_of(path: str, attempt: str) -> tuple[str, str]:
    return path, temporary_of(path, attempt)


def _known(fetching: Fetching, info: FileInfo) -> File | None:
    """Return the recorded file; None: it is to be fetched.

    A file never changes in Mattermost, so a recorded file stays as it is. It is fetched again only
    if our own store could not take it, or if an operator asks for it.
    """
    known = fetching.known.get(info.id)
    return None if known is None or known.is_awaited else known


def _infos(fetching: Fetching, post: Post) -> list[FileInfo]:
    """Return what is known of all files that the post names; a post may name only their ids."""
    listed = {info.id: info for info in post.files}
    # A file has one row, so an id that the server names twice counts once.
    ids = dict.fromkeys(filter(None, [*listed, *post.file_ids]))
    return [listed.get(file_id) or _info(fetching, file_id) for file_id in ids]


def _info(fetching: Fetching, file_id: str) -> FileInfo:
    try:
        return fetching.client.get_file_info(file_id)
    except RefusedError:
        # The server will refuse the file itself as well, and that answer gives the reason.
        return FileInfo.parse({"id": file_id})


def _fetch(fetching: Fetching, info: FileInfo) -> File:
    try:
        return _described(info, *_stored(fetching, info))
    except (RateLimitedError, NotSentError):
        raise
    except RefusedError as error:
        return _missing(info, _refusal(error))
    except AttachmentError as error:
        if error.reason in {AttachmentReason.TOO_LARGE, AttachmentReason.STORE_UNAVAILABLE}:
            return _missing(info, error.reason.value)
        return _broken_off(fetching, info, error.reason.value)
    except MattermostError as error:
        if error.reason is Reason.STOPPED:
            # This worker stops, which is no fault of the file: the next worker fetches it.
            raise
        return _broken_off(fetching, info, error.reason.value)


def _stored(fetching: Fetching, info: FileInfo) -> tuple[int, str, str]:
    """Find the file in the store, or fetch it; return its size, hash and path there."""
    if info.size_bytes > fetching.limit_bytes:
        raise AttachmentError(AttachmentReason.TOO_LARGE, limit_bytes=fetching.limit_bytes)
    path, temporary = _paths_of(fetching.path_of(info), fetching.attempt)
    fetching.extend()
    stored = fetching.store.find(path, size_bytes=info.size_bytes, on_progress=fetching.extend)
    if stored is None:
        with fetching.client.download_file(info.id, limit_bytes=fetching.limit_bytes) as download:
            chunks = _chunks(fetching, download, info)
            stored = fetching.store.write(path, chunks, temporary=temporary)
    return stored.size_bytes, stored.sha256, stored.path


def _chunks(fetching: Fetching, download: Download, info: FileInfo) -> Iterator[bytes]:
    """Yield the file's bytes; raise unless there are exactly as many as announced."""
    deadline, size = time.monotonic() + TOTAL_TIMEOUT_S, 0
    for chunk in download.chunks:
        size += len(chunk)
        if size > fetching.limit_bytes:
            raise AttachmentError(AttachmentReason.TOO_LARGE, limit_bytes=fetching.limit_bytes)
        if time.monotonic() > deadline:
            raise AttachmentError(AttachmentReason.DOWNLOAD_TIMEOUT)
        yield chunk
        fetching.extend()
    if size != info.size_bytes:
        raise AttachmentError(AttachmentReason.DOWNLOAD_FAILED)


def _broken_off(fetching: Fetching, info: FileInfo, reason: str) -> File:
    if not fetching.is_last:
        raise PostponedError(Trouble.FILES, reason, f"File {info.id} broke off.") from None
    return _missing(info, reason)


def _refusal(error: RefusedError) -> str:
    return AttachmentReason.GONE.value if error.reason is Reason.NOT_FOUND else error.reason.value


def _missing(info: FileInfo, reason: str) -> File:
    log.warning("reply_file_missing", file_id=info.id, reason=reason)
    return File(info.id, _name(info), _type(info), info.size_bytes, reason=reason)


def _described(info: FileInfo, size_bytes: int, sha256: str, path: str) -> File:
    return File(info.id, _name(info), _type(info), size_bytes, sha256, path)


def _name(info: FileInfo) -> str:
    return safe_file_name(info.name or info.id)[:FILE_NAME_LENGTH]


def _type(info: FileInfo) -> str:
    return info.mime_type[:CONTENT_TYPE_LENGTH] or UNKNOWN_TYPE
