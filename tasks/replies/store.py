"""The attachment store as replies write to it: whole files only, and never outside their place."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import fsspec.core
from fsspec.implementations.local import LocalFileSystem

from tasks.attachments import AttachmentError, AttachmentReason
from tasks.lanes import LaneLostError

# What a remote store collects before it sends a part; 5 MiB is the least that S3 takes.
PART_BYTES = 5 * 1024 * 1024
READ_BYTES = 256 * 1024
# A file name has 255 bytes on most disks; what is longer when encoded is shortened to a hash.
MAX_SEGMENT_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Stored:
    """A file in the store: where, how large, and its SHA-256 in hexadecimal."""

    path: str
    size_bytes: int
    sha256: str


def path_of(licence_id: str, conversation_id: str, file_id: str) -> str:
    """Return a file's path: licence / conversation / file, none of which can be anything else."""
    return "/".join(map(_segment, (licence_id, conversation_id, file_id)))


def _segment(text: str) -> str:
    encoded = quote(text, safe="", errors="replace")
    if not encoded.strip("."):
        # A dot is not encoded, and one or two alone would lead elsewhere.
        return encoded.replace(".", "%2E") or "%"
    if len(encoded) > MAX_SEGMENT_LENGTH:
        return hashlib.sha256(text.encode(errors="replace")).hexdigest()
    return encoded


class ReplyStore:
    """The files of replies under one fsspec address. Errors name the reason, never the path."""

    def __init__(self, url: str) -> None:
        self._url = url

    def find(self, path: str, *, size_bytes: int, on_progress: Callable[[], None]) -> Stored | None:
        """Return the file if it is there with this size, which is never the case of half a file.

        Raises:
            AttachmentError: ``store_unavailable``.
        """
        with _translated():
            file_system, place = self._place(path)
            if not file_system.exists(place) or file_system.size(place) != size_bytes:
                return None
            with file_system.open(place, "rb") as file:
                digest, size = _hashed(iter(lambda: file.read(READ_BYTES), b""), on_progress)
        return Stored(path, size, digest)

    def write(self, path: str, chunks: Iterable[bytes]) -> Stored:
        """Write the file and return it; nobody sees it before it is whole.

        Raises:
            AttachmentError: ``store_unavailable``. What ``chunks`` raises passes through.
        """
        with _translated():
            file_system, place = self._place(path)
            temporary = f"{place}.{uuid4().hex}.part"
            file_system.makedirs(place.rpartition("/")[0], exist_ok=True)
        try:
            stored = self._copy(file_system, temporary, chunks, path)
            with _translated():
                file_system.mv(temporary, place)
        except BaseException:
            with suppress(Exception):
                file_system.rm_file(temporary)
            raise
        return stored

    def remove(self, path: str) -> None:
        """Remove the file if it is there.

        Raises:
            AttachmentError: ``store_unavailable``.
        """
        with _translated():
            file_system, place = self._place(path)
            with suppress(FileNotFoundError):
                file_system.rm_file(place)

    def _copy(self, file_system: Any, place: str, chunks: Iterable[bytes], path: str) -> Stored:
        digest, size = hashlib.sha256(), 0
        with _translated():
            file = _open_for_writing(file_system, place)
        try:
            for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                with _translated():
                    file.write(chunk)
        finally:
            with _translated():
                file.close()
        return Stored(path, size, digest.hexdigest())

    def _place(self, path: str) -> tuple[Any, str]:
        if "://" not in self._url:
            # fsspec would take it for a path from wherever the worker was started.
            raise AttachmentError(AttachmentReason.STORE_UNAVAILABLE)
        file_system, root = fsspec.core.url_to_fs(self._url)
        return file_system, f"{root.rstrip('/')}/{path}"


def _open_for_writing(file_system: Any, place: str) -> Any:
    if isinstance(file_system, LocalFileSystem):
        return file_system.open(place, "wb")
    return file_system.open(place, "wb", block_size=PART_BYTES)


def _hashed(chunks: Iterator[bytes], on_progress: Callable[[], None]) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    for chunk in chunks:
        digest.update(chunk)
        size += len(chunk)
        on_progress()
    return digest.hexdigest(), size


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (AttachmentError, LaneLostError):
        raise
    except Exception:  # noqa: BLE001
        # Each kind of store raises its own classes, and their texts hold the path.
        raise AttachmentError(AttachmentReason.STORE_UNAVAILABLE) from None
