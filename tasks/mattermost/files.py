"""Calls about files: one upload per request, streamed both ways."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from tasks.mattermost.reading import TRANSFER_STEP_BYTES
from tasks.mattermost.transport import Download, Transport, route
from tasks.mattermost.types import DEFAULT_MAX_FILE_BYTES, FileInfo, parse_uploaded

# Large enough that Python's work per chunk does not count, small enough for eight threads at once.
UPLOAD_CHUNK_BYTES = TRANSFER_STEP_BYTES


class Readable(Protocol):
    """What an upload reads from; ``read`` gives b"" at the end only."""

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes."""


class FileCalls:
    """Files of one server."""

    _transport: Transport

    def upload_file(
        self,
        *,
        channel_id: str,
        name: str,
        stream: Readable,
        size_bytes: int,
        on_progress: Callable[[], None] | None = None,
    ) -> FileInfo:
        """Upload a file, which is not yet attached; only this bot can attach it, and only once.

        ``on_progress`` is called after each chunk, and what it or ``stream`` raises passes through
        (an OSError of the stream would read as a cut connection: translate it first).

        Raises:
            ValueError: ``size_bytes`` is 0, which the server refuses, or the stream is short.

        Source: POST /files as a simple upload, tried on 6.7.2; multipart would add its overhead to
        the size that the server limits, and has no order.
        """
        if size_bytes <= 0:
            raise ValueError("the server refuses an upload of no bytes")
        body = _Body(stream, size_bytes=size_bytes, on_progress=on_progress)
        query = {"channel_id": channel_id, "filename": name}
        return self._transport.call(
            "POST", "/files", query=query, body=body, parse=parse_uploaded, channel_id=channel_id
        )

    def get_file_info(self, file_id: str) -> FileInfo:
        """Return a file's name, size and type.

        Raises:
            RefusedError: ``not_found``, also when deleted.
        """
        return self._transport.call("GET", route("files", file_id, "info"), parse=FileInfo.parse)

    def download_file(
        self, file_id: str, *, limit_bytes: int = DEFAULT_MAX_FILE_BYTES
    ) -> AbstractContextManager[Download]:
        """Return a context with the file's size and chunks; leaving it early closes the connection.

        Of a file that is larger than ``limit_bytes`` no more than about that is read.
        """
        return self._transport.download(route("files", file_id), limit_bytes=limit_bytes)


class _Body:
    """A request body of known length, never whole in memory.

    It has a length and an iterator on purpose, not ``read``: then requests sends a Content-Length,
    and takes our chunks as they are instead of its own of 16 KiB.
    """

    def __init__(
        self, stream: Readable, *, size_bytes: int, on_progress: Callable[[], None] | None
    ) -> None:
        self._stream = stream
        self._size_bytes = size_bytes
        self._on_progress = on_progress

    def __len__(self) -> int:
        return self._size_bytes

    def __iter__(self) -> Iterator[bytes]:
        left = self._size_bytes
        # Never more than announced: the rest would be read as the next request.
        while left:
            chunk = self._stream.read(min(left, UPLOAD_CHUNK_BYTES))
            if not chunk:
                raise ValueError("the stream ended before the size that was announced")
            left -= len(chunk)
            yield chunk
            if self._on_progress:
                self._on_progress()
