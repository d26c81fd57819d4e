"""Sends one request to one server and gives its JSON, or the error that says what to do."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import requests
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError

from tasks.mattermost.answers import classify, clean_id, redirect_host, retry_after_s
from tasks.mattermost.connections import plain_session
from tasks.mattermost.errors import Call, OutcomeUnknownError, RefusedError
from tasks.mattermost.failures import AnswerTooLargeError, AnswerTooSlowError, failure
from tasks.mattermost.reasons import Reason
from tasks.mattermost.shape import ShapeError

T = TypeVar("T")

# The largest honest answer: 1,000 posts (the server's limit for `since`), each of 16,383 characters
# at 3 bytes, and what surrounds them. Anything larger is no answer to a question that we ask.
MAX_ANSWER_BYTES = 64 * 1024 * 1024
READ_BYTES = 64 * 1024
# A token is 26 characters; the server reads no more than 50.
MAX_TOKEN_LENGTH = 50


class Body(Protocol):
    """What is sent as it is: chunks, and how many bytes they are in all."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[bytes]: ...


@dataclass(frozen=True, slots=True)
class Download:
    """A file on its way: its size where the server says, its type, and its bytes in chunks."""

    size_bytes: int | None
    content_type: str
    chunks: Iterator[bytes]


class Transport:
    """One server, one token, one kept-alive session; safe to share between threads."""

    def __init__(
        self,
        server_url: str,
        token: str,
        *,
        connect_timeout_s: float,
        read_timeout_s: float,
        ca_bundle: str | None,
        proxy_url: str | None,
        pool_size: int,
    ) -> None:
        self._base = f"{check_server_url(server_url)}/api/v4"
        self._timeouts = (connect_timeout_s, read_timeout_s)
        self._session = plain_session(ca_bundle=ca_bundle, proxy_url=proxy_url, pool_size=pool_size)
        self._adapter = self._session.get_adapter(self._base)
        self._verify = ca_bundle or True
        self._headers = _headers(token)
        self._prepared_base: str | None = None

    def close(self) -> None:
        """Close the idle connections."""
        self._session.close()

    def call(
        self,
        method: str,
        path: str,
        *,
        parse: Callable[[object], T],
        query: Mapping[str, str | int] | None = None,
        payload: object = None,
        body: Body | None = None,
        channel_id: str | None = None,
    ) -> T:
        """Send a request, with `payload` as JSON or `body` as it is; give the parsed answer.

        `channel_id` is for the errors: the channel that the call is about.

        Raises: one of the four kinds of MattermostError.
        """
        call = Call(method, path, channel_id)
        response = self._send(call, query=query, payload=payload, body=body)
        with closing(response):
            try:
                content = _read(response, timeout_s=self._timeouts[1])
            except (OSError, HTTPError) as error:
                raise failure(error, call) from None
        self._check(response, content, call)
        return _parsed(content, parse, call, status=response.status_code)

    @contextmanager
    def download(self, path: str) -> Iterator[Download]:
        """Give a file's bytes as they come. What the body of the `with` raises passes through."""
        call = Call("GET", path)
        response = self._send(call)
        with closing(response):
            content_type = response.headers.get("Content-Type", "")
            # A file that is HTML comes as plain text; a page is that of a wrong subpath.
            if response.status_code != 200 or content_type.startswith("text/html"):
                # Only the beginning, which holds the error id; what serves files may say anything.
                content = response.raw.read(READ_BYTES)
                self._check(response, content, call)
            size = response.headers.get("Content-Length", "")
            yield Download(
                size_bytes=int(size) if size.isdigit() else None,
                content_type=content_type,
                chunks=_chunks(response, call),
            )

    def _send(
        self,
        call: Call,
        *,
        query: Mapping[str, str | int] | None = None,
        payload: object = None,
        body: Body | None = None,
    ) -> requests.Response:
        try:
            # Straight to the adapter with a request made here: what a session does around that (a
            # look at cookies, hooks, redirects, the environment) takes as long as all the rest.
            return self._adapter.send(
                self._request(call, query=query, payload=payload, body=body),
                stream=True,
                timeout=self._timeouts,
                verify=self._verify,
                proxies=self._session.proxies,
            )
        except (OSError, HTTPError) as error:
            raise failure(error, call) from None

    def _request(
        self,
        call: Call,
        *,
        query: Mapping[str, str | int] | None,
        payload: object,
        body: Body | None,
    ) -> requests.PreparedRequest:
        if self._prepared_base is None:
            # At the first request, so that an address that cannot be one fails as a request does.
            self._prepared_base = requests.Request("GET", self._base).prepare().url or ""
        request = requests.PreparedRequest()
        request.method = call.method
        request.url = f"{self._prepared_base}{call.path}"
        if query:
            request.url += f"?{urlencode(query)}"
        request.headers = CaseInsensitiveDict(self._headers)
        if payload is not None:
            # UTF-8 rather than escapes: newer servers cap the body at 300,000 bytes, which a long
            # message in escaped emoji would come close to. A lone surrogate cannot be sent at all.
            request.body = json.dumps(payload, ensure_ascii=False).encode("utf-8", "replace")
            request.headers["Content-Type"] = "application/json"
        elif body is not None:
            request.body = body  # type: ignore[assignment]
            request.headers["Content-Type"] = "application/octet-stream"
        if request.body is not None or call.method != "GET":
            request.headers["Content-Length"] = str(len(request.body or b""))
        return request

    @staticmethod
    def _check(response: requests.Response, content: bytes, call: Call) -> None:
        headers = response.headers
        content_type = headers.get("Content-Type", "")
        verdict = classify(response.status_code, content_type, content, path=call.path)
        if verdict is None:
            return
        limited = verdict.reason is Reason.RATE_LIMITED
        redirected = verdict.reason is Reason.REDIRECTED
        raise call.failed(
            verdict.error,
            verdict.reason,
            status=response.status_code,
            error_id=verdict.error_id,
            request_id=verdict.request_id or clean_id(headers.get("X-Request-Id")),
            retry_after_s=retry_after_s(headers) if limited else 0.0,
            detail=redirect_host(headers.get("Location", "")) if redirected else "",
        )


def route(*segments: str) -> str:
    """A path within the API. Raises: RefusedError for an empty segment, before anything is sent."""
    if any(segment in ("", ".", "..") for segment in segments):
        # "/posts//thread" would be another call than the one meant.
        raise RefusedError(Reason.INVALID_REQUEST, path=f"/{segments[0]}", detail="an id is empty")
    return "/" + "/".join(quote(segment, safe="") for segment in segments)


def check_server_url(server_url: str) -> str:
    """The address without a slash at its end. Raises: ValueError when it cannot be a server's."""
    parts = urlsplit(server_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("The server URL must look like https://mattermost.example.com")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("The server URL must hold no user, password, query or fragment")
    return server_url.rstrip("/")


def _headers(token: str) -> dict[str, str]:
    # Checked here because the HTTP library's own complaint would quote the token.
    if not (token.isascii() and token.isalnum() and len(token) <= MAX_TOKEN_LENGTH):
        raise ValueError("The bot token must be letters and digits, 26 as a rule")
    return {
        "Authorization": f"Bearer {token}",
        "Accept": "application/json",
        # No compression: answers are small, and a size limit then means what it says.
        "Accept-Encoding": "identity",
        "User-Agent": "ireserve-mattermost",
    }


def _read(response: requests.Response, *, timeout_s: float) -> bytes:
    # The library's timeout bounds one wait only; an answer that drips in must not hold a lane.
    deadline = time.monotonic() + timeout_s
    content = bytearray()
    while chunk := response.raw.read1(READ_BYTES, decode_content=True):
        content += chunk
        if len(content) > MAX_ANSWER_BYTES:
            raise AnswerTooLargeError
        if time.monotonic() > deadline:
            raise AnswerTooSlowError
    return bytes(content)


def _chunks(response: requests.Response, call: Call) -> Iterator[bytes]:
    while True:
        try:
            chunk = response.raw.read1(READ_BYTES, decode_content=True)
        except (OSError, HTTPError) as error:
            raise failure(error, call) from None
        if not chunk:
            return
        yield chunk


def _parsed(content: bytes, parse: Callable[[object], T], call: Call, *, status: int) -> T:
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        # A good status, and JSON that breaks off: the server did it, and its answer was lost.
        reason, detail = Reason.CONNECTION_CUT, "the JSON breaks off"
        raise call.failed(OutcomeUnknownError, reason, status=status, detail=detail) from None
    try:
        return parse(data)
    except ShapeError as error:
        reason, detail = Reason.NOT_MATTERMOST, str(error)
        raise call.failed(RefusedError, reason, status=status, detail=detail) from None
