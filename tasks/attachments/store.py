"""The attachment store: paths cannot lead out of it, and files are written whole or not at all."""

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import IO, Any

import fsspec.core
from fsspec.implementations.local import LocalFileSystem

from tasks.attachments.errors import AttachmentError, AttachmentReason

# How much a remote store reads ahead. By default S3's holds 50 MB in memory for each file.
READ_AHEAD_BYTES = 1024 * 1024
# How much a remote store collects before it sends a part. S3 takes no less than 5 MiB.
PART_BYTES = 5 * 1024 * 1024
# How much is hashed at a time: little enough for `on_progress` to be called often on a slow store.
HASHED_BYTES = 256 * 1024
# The errors that mean that a path leads to no file: missing, below a file, a folder, a loop of
# links, or an impossible name. Any other error is a failure of the disk.
NO_SUCH_FILE = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG}
)


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """An open file of the store and its size."""

    size_bytes: int
    stream: "StoreStream"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file in the store: its path, its size, and its SHA-256 in hexadecimal."""

    path: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file in a list of the store."""

    path: str
    size_bytes: int
    modified_at: datetime


class AttachmentStore:
    """The files under one fsspec address, such as file:///var/attachments or s3://bucket/prefix.

    All methods raise AttachmentError: ``outside_store`` if a path leads out of the store, and
    ``store_unavailable`` if the store is away, full or wrongly configured. Errors name the reason,
    never the path. The store is safe to share between threads.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    @contextmanager
    def open(self, path: str) -> Iterator[OpenedFile]:
        """Yield a file of the store.

        Raises:
            AttachmentError: also ``gone``, at once or while the file is read.
        """
        parts = _parts(path)
        with ExitStack() as stack:
            file, size = self._open(parts)
            stack.callback(file.close)
            yield OpenedFile(size, StoreStream(file, size_bytes=size))

    def find(
        self, path: str, *, size_bytes: int, on_progress: Callable[[], None]
    ) -> StoredFile | None:
        """Return the file if it exists with this size; a file that is written in part does not.

        Errors of ``on_progress`` pass through.
        """
        if not self._exists(_parts(path)):
            return None
        with self.open(path) as file:
            if file.size_bytes != size_bytes:
                return None
            digest, left = hashlib.sha256(), size_bytes
            while left:
                chunk = file.stream.read(HASHED_BYTES)
                digest.update(chunk)
                left -= len(chunk)
                on_progress()
        return StoredFile(path, size_bytes, digest.hexdigest())

    def write(self, path: str, chunks: Iterable[bytes], *, temporary: str) -> StoredFile:
        """Write a file, which appears at ``path`` only when it is whole.

        Until then the file is at ``temporary``, in the same folder. A process that is killed leaves
        it there, and the caller can remove it. Errors of ``chunks`` pass through.
        """
        with _translated():
            file_system, place = self._place_to_write(_parts(path))
            _, aside = self._place_to_write(_parts(temporary))
            file_system.makedirs(place.rpartition("/")[0], exist_ok=True)
        try:
            size, sha256 = _copy(file_system, aside, chunks)
            with _translated():
                file_system.mv(aside, place)
        except BaseException:
            with suppress(Exception):
                file_system.rm_file(aside)
            raise
        return StoredFile(path, size, sha256)

    def files_in(self, folder: str) -> list[ListedFile]:
        """Return all files below a folder of the store, in order; none if there is no such folder.

        Only commands call this method; no periodic task does.
        """
        parts = _parts(folder)
        with _translated():
            file_system, root = self._home
            if isinstance(file_system, LocalFileSystem) and not os.path.isdir(root):
                raise AttachmentError(AttachmentReason.STORE_UNAVAILABLE)
            _, place = self._place(parts)
            found = file_system.find(place, detail=True)
            start = len(root.rstrip("/")) + 1
            return [
                ListedFile(name[start:], info["size"], file_system.modified(name))
                for name, info in sorted(found.items())
            ]

    def remove(self, path: str) -> None:
        """Remove the file, if it exists."""
        parts = _parts(path)
        with _translated():
            file_system, place = self._place_to_write(parts)
            with suppress(FileNotFoundError):
                file_system.rm_file(place)

    @cached_property
    def _home(self) -> tuple[Any, str]:
        # Created for the first file, after the worker has forked: a remote file system starts
        # threads.
        if "://" not in self._url:
            # fsspec would read it as a path relative to the worker's current folder.
            raise AttachmentError(AttachmentReason.STORE_UNAVAILABLE)
        file_system, root = fsspec.core.url_to_fs(self._url)
        return file_system, root

    def _place(self, parts: tuple[str, ...]) -> tuple[Any, str]:
        file_system, root = self._home
        return file_system, "/".join((root.rstrip("/"), *parts))

    def _place_to_write(self, parts: tuple[str, ...]) -> tuple[Any, str]:
        """Return the place at which to write or remove a file; a link at this place is replaced."""
        file_system, place = self._place(parts)
        if isinstance(file_system, LocalFileSystem):
            _resolve(self._home[1], parts[:-1])
        return file_system, place

    def _exists(self, parts: tuple[str, ...]) -> bool:
        with _translated():
            file_system, place = self._place(parts)
            return bool(file_system.exists(place))

    def _open(self, parts: tuple[str, ...]) -> tuple[IO[bytes], int]:
        with _translated():
            try:
                file_system, place = self._place(parts)
                if isinstance(file_system, LocalFileSystem):
                    return _open_local(self._home[1], parts)
                return _open_remote(file_system, place)
            except FileNotFoundError:
                raise AttachmentError(AttachmentReason.GONE) from None


class StoreStream:
    """A stream of a file in the store; every failure is an AttachmentError, also in an upload."""

    def __init__(self, file: IO[bytes], *, size_bytes: int) -> None:
        self._file = file
        self._left = size_bytes

    def read(self, size: int = -1, /) -> bytes:
        """Return up to ``size`` bytes, and never more in total than the file's size at opening."""
        wanted = self._left if size < 0 else min(size, self._left)
        # During an upload an OSError would count as a cut connection.
        with _translated():
            chunk = self._file.read(wanted)
        if wanted and not chunk:
            # The file became shorter, and its size is already announced to the server.
            raise AttachmentError(AttachmentReason.GONE)
        self._left -= len(chunk)
        return chunk


def _parts(path: str) -> tuple[str, ...]:
    """Return the path's components.

    Raises:
        AttachmentError: ``outside_store``.
    """
    parts = tuple(part for part in path.split("/") if part not in ("", "."))
    chained = "://" in path or "::" in path
    odd = "\\" in path or any(ord(character) < 32 or ord(character) == 127 for character in path)
    if not parts or ".." in parts or path.startswith("/") or chained or odd:
        raise AttachmentError(AttachmentReason.OUTSIDE_STORE)
    return parts


def _resolve(root: str, parts: tuple[str, ...]) -> str:
    """Return the place with all links resolved.

    Raises:
        AttachmentError: ``outside_store``.
    """
    home = os.path.realpath(root)
    resolved = os.path.realpath(os.path.join(home, *parts))
    if os.path.commonpath((home, resolved)) != home:
        raise AttachmentError(AttachmentReason.OUTSIDE_STORE)
    return resolved


def _open_local(root: str, parts: tuple[str, ...]) -> tuple[IO[bytes], int]:
    if not os.path.isdir(root):
        raise AttachmentError(AttachmentReason.STORE_UNAVAILABLE)
    resolved = _resolve(root, parts)
    # The resolved path has no links, and NOFOLLOW refuses a link that appears meanwhile. NONBLOCK
    # keeps a pipe from blocking.
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


def _copy(file_system: Any, place: str, chunks: Iterable[bytes]) -> tuple[int, str]:
    """Write the chunks to the place; return their total size and their SHA-256."""
    digest, size = hashlib.sha256(), 0
    # A local file system does not know this option.
    options = {} if isinstance(file_system, LocalFileSystem) else {"block_size": PART_BYTES}
    with _translated():
        file = file_system.open(place, "wb", **options)
    try:
        for chunk in chunks:
            digest.update(chunk)
            size += len(chunk)
            with _translated():
                file.write(chunk)
    finally:
        with _translated():
            file.close()
    return size, digest.hexdigest()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except AttachmentError:
        raise
    except Exception:  # noqa: BLE001
        # Each kind of store raises its own classes of errors, and their texts hold the path.
        raise AttachmentError(AttachmentReason.STORE_UNAVAILABLE) from None
