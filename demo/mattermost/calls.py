"""Make one HTTP call as Mattermost does: no retry, no signature, and Go's redirects."""

import gzip
import zlib
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import urljoin, urlsplit

# The server reads no more of an answer than this.
MAX_ANSWER_BYTES = 1024 * 1024

# Go's client gives up after this number of redirects.
MAX_REDIRECTS = 10
_REDIRECTS_THAT_DROP_THE_BODY = (301, 302, 303)
_REDIRECTS_THAT_KEEP_THE_BODY = (307, 308)


class CallError(Exception):
    """No answer came; the message says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The status, the type and the first part of the body."""

    status: int
    body: bytes
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class _Hop:
    status: int
    location: str
    body: bytes
    content_type: str


def call(url: str, *, headers: dict[str, str], body: bytes, timeout_s: float) -> Answer:
    """POST the body once and return the answer.

    Raises:
        CallError: no answer came.
    """
    method = "POST"
    for _ in range(MAX_REDIRECTS + 1):
        try:
            hop = _hop(method, url, headers=headers, body=body, timeout_s=timeout_s)
        except (OSError, HTTPException, ValueError, EOFError, zlib.error) as error:
            raise CallError(type(error).__name__) from error
        if not hop.location or hop.status not in (
            *_REDIRECTS_THAT_DROP_THE_BODY,
            *_REDIRECTS_THAT_KEEP_THE_BODY,
        ):
            return Answer(hop.status, hop.body, hop.content_type)
        url = urljoin(url, hop.location)
        if hop.status in _REDIRECTS_THAT_DROP_THE_BODY:
            method, body = "GET", b""
    raise CallError("too many redirects")


def _hop(method: str, url: str, *, headers: dict[str, str], body: bytes, timeout_s: float) -> _Hop:
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=timeout_s)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        if method == "POST":
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body or None)
        with connection.getresponse() as response:
            return _Hop(
                response.status,
                response.getheader("Location", ""),
                _read(response),
                response.getheader("Content-Type", ""),
            )
    finally:
        connection.close()


def _read(response: HTTPResponse) -> bytes:
    if response.getheader("Content-Encoding") == "gzip":
        with gzip.GzipFile(fileobj=response) as unpacked:
            return unpacked.read(MAX_ANSWER_BYTES)
    return response.read(MAX_ANSWER_BYTES)
