"""Read a server's answer, within limits for its size and for the time of each step."""

import json
from collections.abc import Callable, Iterator
from threading import Lock
from typing import TypeVar

import requests
from urllib3.exceptions import HTTPError

from tasks.mattermost.errors import Call, OutcomeUnknownError, RefusedError
from tasks.mattermost.exchange import AnswerTooLargeError, Exchange
from tasks.mattermost.failures import failure
from tasks.mattermost.reasons import Reason
from tasks.mattermost.shape import ShapeError

T = TypeVar("T")

# Each step of this size must be transferred within the read timeout.
TRANSFER_STEP_BYTES = 256 * 1024
READ_BYTES = 64 * 1024
# Three bytes of an answer can take 200 bytes in memory. A thousand posts have half of this number
# of values, and the longest text a third of this number of the counted signs.
MAX_VALUES = 200_000
_SIGNS = b"{[,:"
# Larger answers are parsed one at a time. Parsing holds the interpreter's lock anyway, and so only
# one parsed answer grows in memory.
LARGE_BYTES = 256 * 1024
_large = Lock()


def size_of(content_length: str) -> int | None:
    """Return the number in a Content-Length, or None if it is no number that a file can have."""
    fits = content_length.isascii() and content_length.isdigit() and len(content_length) < 16
    return int(content_length) if fits else None


def is_compressed(response: requests.Response) -> bool:
    """Return whether the server compressed the answer, which was not asked for."""
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    return encoding not in ("", "identity")


def read_limited(response: requests.Response, *, limit_bytes: int) -> bytes:
    """Return the whole answer.

    Raises:
        AnswerTooLargeError: the answer exceeds the limit; the rest was not read.
    """
    content = bytearray()
    while chunk := response.raw.read1(READ_BYTES, decode_content=False):
        content += chunk
        if len(content) > limit_bytes:
            raise AnswerTooLargeError
    return bytes(content)


def read_beginning(response: requests.Response, call: Call, exchange: Exchange) -> bytes:
    """Return the first bytes of an answer, which may describe an error."""
    try:
        content: bytes = response.raw.read(READ_BYTES, decode_content=False)
    except (OSError, HTTPError) as error:
        raise failure(error, call, exchange) from None
    return content


def chunks_of(
    response: requests.Response, call: Call, exchange: Exchange, *, step_s: float
) -> Iterator[bytes]:
    """Return an iterator over a file's chunks; each step may take ``step_s``."""

    def read() -> bytes:
        try:
            chunk: bytes = response.raw.read1(READ_BYTES, decode_content=False)
        except (OSError, HTTPError) as error:
            raise failure(error, call, exchange) from None
        return chunk

    return steps(read, exchange, step_s=step_s)


def steps(read: Callable[[], bytes], exchange: Exchange, *, step_s: float) -> Iterator[bytes]:
    """Yield the chunks of ``read`` until it returns b""; each step may take ``step_s``."""
    size = step_begins_at = 0
    while True:
        if size >= step_begins_at:
            exchange.allow_step(step_s)
            step_begins_at = size + TRANSFER_STEP_BYTES
        chunk = read()
        if not chunk:
            return
        size += len(chunk)
        yield chunk


def parsed(content: bytes, parse: Callable[[object], T], call: Call, *, status: int) -> T:
    """Parse an answer in JSON with ``parse``.

    Raises:
        OutcomeUnknownError: the JSON is incomplete, or holds too many values.
        RefusedError: the JSON does not have the expected shape.
    """
    if len(content) < LARGE_BYTES:
        return _parsed(content, parse, call, status=status)
    if sum(content.count(sign) for sign in _SIGNS) > MAX_VALUES:
        raise call.failed(OutcomeUnknownError, Reason.ANSWER_TOO_LARGE, status=status)
    with _large:
        return _parsed(content, parse, call, status=status)


def _parsed(content: bytes, parse: Callable[[object], T], call: Call, *, status: int) -> T:
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        # The status is good, so the server has done what was asked, and its answer was cut off.
        reason, detail = Reason.CONNECTION_CUT, "the JSON breaks off"
        raise call.failed(OutcomeUnknownError, reason, status=status, detail=detail) from None
    try:
        return parse(data)
    except ShapeError as error:
        reason, detail = Reason.NOT_MATTERMOST, str(error)
        raise call.failed(RefusedError, reason, status=status, detail=detail) from None
