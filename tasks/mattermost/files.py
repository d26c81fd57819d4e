"""Calls about files: one file per request, streamed both ways."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from tasks.mattermost.reading import TRANSFER_STEP_BYTES
from tasks.mattermost.transport import Download, Transport, route
from tasks.mattermost.types import DEFAULT_MAX_FILE_BYTES, FileInfo, parse_uploaded

# Large enough to make Python's work per chunk negligible, small enough for eight threads at once.
UPLOAD_CHUNK_BYTES = TRANSFER_STEP_BYTES


class Readable(Protocol):
    """The stream of an upload. ``read`` returns b"" at the end only."""

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes."""


class FileCalls:
    """The calls about files of one server."""

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
        """Upload a file without attaching it; only this bot can attach it, and only once.

        ``on_progress`` is called after each chunk. Errors of ``on_progress`` and ``stream`` pass
        through. Only an OSError of the stream would count as a cut connection: translate it first.

        Raises:
            ValueError: ``size_bytes`` is 0, which the server refuses, or the stream is shorter.

        Source: POST /files as a simple upload, tried on 6.7.2. With multipart the overhead counts
        towards the server's limit.
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
            RefusedError: ``not_found``, also if the file was deleted.
        """
        return self._transport.call("GET", route("files", file_id, "info"), parse=FileInfo.parse)

    def download_file(
        self, file_id: str, *, limit_bytes: int = DEFAULT_MAX_FILE_BYTES
    ) -> AbstractContextManager[Download]:
        """Return a context with the file's size and chunks; leaving it early closes the connection.

        At most about ``limit_bytes`` are read, even of a larger file.
        """
        return self._transport.download(route("files", file_id), limit_bytes=limit_bytes)


class _Body:
    """A request body of known length, which is never whole in memory.

    The body has a length and an iterator, but no ``read``. So requests sends a Content-Length, and
    uses our chunks instead of its own of 16 KiB.
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
        # Send no more than announced: the server would read the rest as the next request.
        while left:
            chunk = self._stream.read(min(left, UPLOAD_CHUNK_BYTES))
            if not chunk:
                raise ValueError("the stream ended before the size that was announced")
            left -= len(chunk)
            yield chunk
            if self._on_progress:
                self._on_progress()
