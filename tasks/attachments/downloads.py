"""Download a file by its link, from allowed hosts only, to a temporary file on disk.

The file is not streamed to the server, which needs the size first. Also, an upload must not depend
on the speed and the honesty of the file's host.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import IO
from urllib.parse import urljoin, urlsplit

import requests
from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as WrappedTimeoutError

from tasks.attachments.errors import AttachmentError, AttachmentReason
from tasks.mattermost.connections import UnconnectedError, plain_session
from tasks.mattermost.exchange import Exchange, Stopping
from tasks.mattermost.failures import causes
from tasks.mattermost.reading import size_of, steps

# More than a short link, a redirect to a host's main name and a signed address need together.
MAX_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})
READ_BYTES = 64 * 1024
# The shortest time between two calls of ``on_progress``: a call for each chunk would be too many.
PROGRESS_INTERVAL_S = 1.0
HTTPS_PORT = 443
# The names in IANA's list, and others that some hosts use. "aes128gcm" is no compression, but the
# bytes are not the file's either.
COMPRESSIONS = frozenset(
    {
        "aes128gcm",
        "br",
        "bzip2",
        "compress",
        "dcb",
        "dcz",
        "deflate",
        "exi",
        "gzip",
        "lz4",
        "lzma",
        "pack200-gzip",
        "snappy",
        "x-bzip2",
        "x-compress",
        "x-deflate",
        "x-gzip",
        "x-lzma",
        "xz",
        "zstd",
    }
)
USER_AGENT = "ireserve-mattermost"


@dataclass(frozen=True, slots=True)
class DownloadedFile:
    """A temporary file on disk, at its beginning, which is removed when it is closed."""

    size_bytes: int
    content_type: str
    stream: IO[bytes]


@dataclass(frozen=True, slots=True)
class DownloadLimits:
    """The time for a download: to connect, for each step of 256 KiB, and in total."""

    connect_timeout_s: float
    read_timeout_s: float
    total_timeout_s: float


class Downloads:
    """Downloads from the allowed hosts; safe to share between threads."""

    def __init__(
        self,
        allowed_hosts: frozenset[str],
        *,
        limits: DownloadLimits,
        ca_bundle: str | None,
        proxy_url: str | None,
        stopping: Stopping | None,
    ) -> None:
        self._stopping = stopping
        self._hosts = frozenset(host.lower() for host in allowed_hosts)
        self._limits = limits
        self._session = plain_session(ca_bundle=ca_bundle, proxy_url=proxy_url, pool_size=8)
        # A small compressed answer could become a large file. So compression is neither requested
        # nor accepted.
        self._session.headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}

    def close(self) -> None:
        """Close the idle connections."""
        self._session.close()

    @contextmanager
    def fetch(
        self, url: str, *, limit_bytes: int, on_progress: Callable[[], None] | None
    ) -> Iterator[DownloadedFile]:
        """Yield the file to which a link leads.

        Raises:
            AttachmentError: the file could not be downloaded.
        """
        exchange = Exchange(
            connect_s=self._limits.connect_timeout_s,
            answer_s=self._limits.read_timeout_s,
            total_s=self._limits.total_timeout_s,
            receive_bytes=limit_bytes,
            stopping=self._stopping,
        )
        with tempfile.TemporaryFile() as spool:
            with exchange.running(), closing(self._follow(url, exchange)) as response:
                _check_answer(response, limit_bytes=limit_bytes)
                chunks = _chunks(
                    response, exchange, step_s=self._limits.read_timeout_s, on_progress=on_progress
                )
                size = _save(chunks, spool, limit_bytes=limit_bytes)
                content_type = response.headers.get("Content-Type", "")
            spool.seek(0)
            yield DownloadedFile(size, content_type, spool)

    def _follow(self, url: str, exchange: Exchange) -> requests.Response:
        response = self._get(self._allowed(url.strip()), exchange)
        for _ in range(MAX_REDIRECTS):
            if response.status_code not in REDIRECTS:
                return response
            response.close()
            response = self._get(self._redirected(response), exchange)
        if response.status_code in REDIRECTS:
            response.close()
            raise AttachmentError(AttachmentReason.BAD_REDIRECT, status=response.status_code)
        return response

    def _redirected(self, response: requests.Response) -> requests.PreparedRequest:
        # Each redirect is checked by the same rules: an allowed host may redirect to any address.
        try:
            return self._allowed(urljoin(response.url, response.headers.get("Location", "")))
        except (AttachmentError, ValueError):
            status = response.status_code
            raise AttachmentError(AttachmentReason.BAD_REDIRECT, status=status) from None

    def _allowed(self, url: str) -> requests.PreparedRequest:
        """Return the request for a link that may be fetched.

        Raises:
            AttachmentError: the link may not be fetched.
        """
        if not url.lower().startswith("https://"):
            raise AttachmentError(AttachmentReason.NOT_HTTPS)
        # Check the address as the library will use it, not as it was written. A list of allowed
        # hosts can be bypassed if two parsers disagree about where the host ends.
        try:
            request = self._session.prepare_request(requests.Request("GET", url))
            parts = urlsplit(request.url or "")
            host, port = parts.hostname or "", parts.port or HTTPS_PORT
        except (requests.RequestException, ValueError):
            raise AttachmentError(AttachmentReason.HOST_NOT_ALLOWED) from None
        named = {host, f"{host}:{HTTPS_PORT}"} if port == HTTPS_PORT else {f"{host}:{port}"}
        if "@" in parts.netloc or not named & self._hosts:
            raise AttachmentError(AttachmentReason.HOST_NOT_ALLOWED)
        return request

    def _get(self, request: requests.PreparedRequest, exchange: Exchange) -> requests.Response:
        exchange.allow_step(self._limits.read_timeout_s)
        try:
            return self._session.send(request, stream=True, allow_redirects=False)
        except (OSError, HTTPError) as error:
            raise _failure(error, exchange) from None


def _check_answer(response: requests.Response, *, limit_bytes: int) -> None:
    status = response.status_code
    if status in (404, 410):
        raise AttachmentError(AttachmentReason.GONE, status=status)
    if status in (401, 403):
        raise AttachmentError(AttachmentReason.LINK_REFUSED, status=status)
    if status != 200:
        raise AttachmentError(AttachmentReason.DOWNLOAD_FAILED, status=status)
    if _encodings(response) & COMPRESSIONS:
        raise AttachmentError(AttachmentReason.COMPRESSED, status=status)
    length = size_of(response.headers.get("Content-Length", ""))
    if length is not None and length > limit_bytes:
        raise AttachmentError(AttachmentReason.TOO_LARGE, limit_bytes=limit_bytes)


def _encodings(response: requests.Response) -> set[str]:
    """Return the encodings that the host names for the file.

    The caller refuses compressions only. File stores repeat other names from the upload
    ("aws-chunked", "utf-8"), and still send the file's own bytes.
    """
    named = response.headers.get("Content-Encoding", "").lower().split(",")
    return {encoding.strip() for encoding in named}


def _chunks(
    response: requests.Response,
    exchange: Exchange,
    *,
    step_s: float,
    on_progress: Callable[[], None] | None,
) -> Iterator[bytes]:
    told_at = float("-inf")
    for chunk in steps(lambda: _read(response, exchange), exchange, step_s=step_s):
        yield chunk
        now = time.monotonic()
        if on_progress and now - told_at >= PROGRESS_INTERVAL_S:
            told_at = now
            on_progress()


def _read(response: requests.Response, exchange: Exchange) -> bytes:
    try:
        chunk: bytes = response.raw.read1(READ_BYTES, decode_content=False)
    except (OSError, HTTPError) as error:
        raise _failure(error, exchange) from None
    return chunk


def _save(chunks: Iterator[bytes], spool: IO[bytes], *, limit_bytes: int) -> int:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > limit_bytes:
            raise AttachmentError(AttachmentReason.TOO_LARGE, limit_bytes=limit_bytes)
        try:
            spool.write(chunk)
        except OSError:
            # Usually the disk is full.
            raise AttachmentError(AttachmentReason.DOWNLOAD_FAILED) from None
    return size


def _failure(error: Exception, exchange: Exchange) -> AttachmentError:
    if exchange.is_broken_off:
        return AttachmentError(AttachmentReason.STOPPED)
    found = list(causes(error))
    # The library's error for a failed connection is always a timeout, whatever the cause.
    unconnected = any(isinstance(cause, UnconnectedError) for cause in found)
    late = any(isinstance(cause, TimeoutError | WrappedTimeoutError) for cause in found)
    if late and not unconnected:
        return AttachmentError(AttachmentReason.DOWNLOAD_TIMEOUT)
    return AttachmentError(AttachmentReason.DOWNLOAD_FAILED)
