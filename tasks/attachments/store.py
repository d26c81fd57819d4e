"""The attachment store: files by a path that cannot lead out of it."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import IO, Any

import fsspec.core
from fsspec.implementations.local import LocalFileSystem

from tasks.attachments.errors import AttachmentError, AttachmentReason

# What a remote store reads ahead; left alone, that of S3 holds 50 MB in memory for each file.
READ_AHEAD_BYTES = 1024 * 1024
# How a disk says that a name leads to no file: missing, below a file, a folder, a link in circles
# or a name that no file can have. Anything else is the disk's own trouble.
NO_SUCH_FILE = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG}
)


@dataclass(frozen=True, slots=True)
class StoredFile:
    """An open file of the store and its size."""

    size_bytes: int
    stream: "StoreStream"


class AttachmentStore:
    """The files under one fsspec address, such as file:///var/attachments or s3://bucket/prefix."""

    def __init__(self, url: str) -> None:
        self._url = url

    @contextmanager
    def open(self, path: str) -> Iterator[StoredFile]:
        """A file of the store. Raises: AttachmentError `outside_store`, `gone` or
        `store_unavailable`, the last also while the stream is read.
        """
        parts = _parts(path)
        with ExitStack() as stack:
            file, size = self._open(parts)
            stack.callback(file.close)
            yield StoredFile(size, StoreStream(file, size_bytes=size))

    @cached_property
    def _place(self) -> tuple[Any, str]:
        # Not before the first file: making a remote file system starts threads, and a worker forks.
        if "://" not in self._url:
            # fsspec would take it for a path from wherever the worker was started.
            raise AttachmentError(AttachmentReason.STORE_UNAVAILABLE)
        file_system, root = fsspec.core.url_to_fs(self._url)
        return file_system, root

    def _open(self, parts: tuple[str, ...]) -> tuple[IO[bytes], int]:
        try:
            file_system, root = self._place
            if isinstance(file_system, LocalFileSystem):
                return _open_local(root, parts)
            return _open_remote(file_system, "/".join((root.rstrip("/"), *parts)))
        except AttachmentError:
            raise
        except FileNotFoundError:
            raise AttachmentError(AttachmentReason.GONE) from None
        except Exception:  # noqa: BLE001
            # Each kind of store raises its own classes, and their texts hold the path.
            raise AttachmentError(AttachmentReason.STORE_UNAVAILABLE) from None


class StoreStream:
    """Reads a file of the store; whatever goes wrong is an AttachmentError, also in an upload."""

    def __init__(self, file: IO[bytes], *, size_bytes: int) -> None:
        self._file = file
        self._left = size_bytes

    def read(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes, never more in all than the file had when it was opened."""
        wanted = self._left if size < 0 else min(size, self._left)
        try:
            chunk = self._file.read(wanted)
        except Exception:  # noqa: BLE001
            # As above; an OSError in the middle of an upload would read as a cut connection.
            raise AttachmentError(AttachmentReason.STORE_UNAVAILABLE) from None
        if wanted and not chunk:
            # Somebody cut it short, and the length is announced to the server already.
            raise AttachmentError(AttachmentReason.GONE)
        self._left -= len(chunk)
        return chunk


def _parts(path: str) -> tuple[str, ...]:
    """The path's components. Raises: AttachmentError `outside_store`."""
    parts = tuple(part for part in path.split("/") if part not in ("", "."))
    chained = "://" in path or "::" in path
    odd = "\\" in path or any(ord(character) < 32 or ord(character) == 127 for character in path)
    if not parts or ".." in parts or path.startswith("/") or chained or odd:
        raise AttachmentError(AttachmentReason.OUTSIDE_STORE)
    return parts


def _open_local(root: str, parts: tuple[str, ...]) -> tuple[IO[bytes], int]:
    home = os.path.realpath(root)
    if not os.path.isdir(home):
        raise AttachmentError(AttachmentReason.STORE_UNAVAILABLE)
    resolved = os.path.realpath(os.path.join(home, *parts))
    if os.path.commonpath((home, resolved)) != home:
        raise AttachmentError(AttachmentReason.OUTSIDE_STORE)
    # The path is free of links by now: one that appears in between is not followed. And a pipe
    # would otherwise be waited for.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        file = os.fdopen(os.open(resolved, flags), "rb")
    except OSError as error:
        if error.errno in NO_SUCH_FILE:
            raise AttachmentError(AttachmentReason.GONE) from None
        raise
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode):
        file.close()
        raise AttachmentError(AttachmentReason.GONE)
    return file, status.st_size


def _open_remote(file_system: Any, path: str) -> tuple[IO[bytes], int]:
    info = file_system.info(path)
    if info["type"] != "file":
        raise AttachmentError(AttachmentReason.GONE)
    size = info["size"]
    if not isinstance(size, int):
        raise AttachmentError(AttachmentReason.STORE_UNAVAILABLE)
    return file_system.open(path, "rb", block_size=READ_AHEAD_BYTES), size
