"""Send one request to one server, and return its JSON or raise the error that says what to do."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import quote, urlencode, urlsplit

import requests
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError

from tasks.mattermost.allowance import current_allowance
from tasks.mattermost.answer_headers import AnswerHeaders
from tasks.mattermost.answers import classify, clean_id, redirect_host, retry_after_s
from tasks.mattermost.bodies import Body, PacedBody
from tasks.mattermost.connections import plain_session
from tasks.mattermost.errors import Call, RefusedError
from tasks.mattermost.exchange import Exchange, Stopping
from tasks.mattermost.failures import failure
from tasks.mattermost.reading import (
    chunks_of,
    is_compressed,
    parsed,
    read_beginning,
    read_limited,
    size_of,
)
from tasks.mattermost.reasons import Reason

T = TypeVar("T")

# The limit for an answer with one object. The largest is a post of 65,535 characters at 4 bytes,
# with props of up to 800,000 bytes. Parsed JSON takes up to 30 times its size in memory.
ONE_ANSWER_BYTES = 1024 * 1024
# The limit for an answer with a list. A list that does not fit is asked for in smaller pages.
LIST_ANSWER_BYTES = 4 * 1024 * 1024
# The slowest transfer that is accepted, 1 Mbit/s: 100 MB within 14 min.
SLOWEST_TRANSFER_BYTES_S = 125_000
# A token has 26 characters. The server reads at most 50.
MAX_TOKEN_LENGTH = 50
COMPRESSED = "the answer is compressed, which was not asked for"


@dataclass(frozen=True, slots=True)
class Download:
    """A file that is being received. ``size_bytes`` is None if the server does not name it."""

    size_bytes: int | None
    content_type: str
    chunks: Iterator[bytes]


class Transport:
    """Requests to one server with one token and one session; safe to share between threads."""

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
        stopping: Stopping | None,
    ) -> None:
        self._base = f"{parse_server_url(server_url)}/api/v4"
        self._connect_timeout_s = connect_timeout_s
        self._read_timeout_s = read_timeout_s
        self._stopping = stopping
        self._session = plain_session(ca_bundle=ca_bundle, proxy_url=proxy_url, pool_size=pool_size)
        self._adapter = self._session.get_adapter(self._base)
        self._verify = ca_bundle or True
        self._headers = _headers(token)
        self._prepared_base: str | None = None
        self.answer_headers = AnswerHeaders()

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
        limit_bytes: int = ONE_ANSWER_BYTES,
        send_by: float = float("inf"),
    ) -> T:
        """Send a request, with ``payload`` as JSON or ``body`` as it is; return the parsed answer.

        ``channel_id`` is the channel that errors name. ``limit_bytes`` is the maximum size of the
        answer. After ``send_by`` (by ``monotonic``) nothing is sent.

        Raises:
            MattermostError: the call failed.
            SendTooLateError: ``send_by`` has passed.
            AllowanceSpentError: no request is left for this piece of work.
        """
        if allowance := current_allowance():
            allowance.ask()
        call = Call(method, path, channel_id)
        size = len(body) if body else 0
        exchange = self._exchange(limit_bytes, transfer_bytes=size, send_by=send_by)
        with exchange.running():
            response = self._send(call, exchange, query=query, payload=payload, body=body)
            with closing(response):
                try:
                    content = read_limited(response, limit_bytes=limit_bytes)
                except (OSError, HTTPError) as error:
                    raise failure(error, call, exchange) from None
                finally:
                    if allowance:
                        allowance.received(exchange.received_bytes)
        self.answer_headers = AnswerHeaders.of(response.headers)
        self._require_success(response, content, call)
        return parsed(content, parse, call, status=response.status_code)

    @contextmanager
    def download(self, path: str, *, limit_bytes: int) -> Iterator[Download]:
        """Yield a file, whose chunks are received as they are read.

        Errors of the ``with`` block pass through.

        Raises:
            MattermostError: the call failed, at once or while chunks are read.
        """
        call = Call("GET", path)
        exchange = self._exchange(limit_bytes)
        with exchange.running():
            response = self._send(call, exchange)
            with closing(response):
                content_type = response.headers.get("Content-Type", "")
                # The server sends an HTML file as plain text. So a web page means a wrong subpath.
                if response.status_code != 200 or content_type.startswith("text/html"):
                    # Read only the beginning, which holds the error's id: the rest may be large.
                    self._require_success(response, read_beginning(response, call, exchange), call)
                size = size_of(response.headers.get("Content-Length", ""))
                exchange.allow_total(self._transfer_s(min(size or limit_bytes, limit_bytes)))
                yield Download(
                    size_bytes=size,
                    content_type=content_type,
                    chunks=chunks_of(response, call, exchange, step_s=self._read_timeout_s),
                )

    def _exchange(
        self, receive_bytes: int, *, transfer_bytes: int = 0, send_by: float = float("inf")
    ) -> Exchange:
        return Exchange(
            connect_s=self._connect_timeout_s,
            answer_s=self._read_timeout_s,
            total_s=self._transfer_s(transfer_bytes),
            receive_bytes=receive_bytes,
            stopping=self._stopping,
            send_by=send_by,
        )

    def _transfer_s(self, size_bytes: int) -> float:
        """Return how many seconds an exchange with a file of this size may take."""
        overhead_s = self._connect_timeout_s + self._read_timeout_s
        return overhead_s + size_bytes / SLOWEST_TRANSFER_BYTES_S

    def _send(
        self,
        call: Call,
        exchange: Exchange,
        *,
        query: Mapping[str, str | int] | None = None,
        payload: object = None,
        body: Body | None = None,
    ) -> requests.Response:
        try:
            # Bypass the session: its work around a request (cookies, hooks, redirects, the
            # environment) takes as long as all the rest.
            return self._adapter.send(
                self._request(call, query=query, payload=payload, body=body),
                stream=True,
                verify=self._verify,
                proxies=self._session.proxies,
            )
        except (OSError, HTTPError) as error:
            raise failure(error, call, exchange) from None

    def _request(
        self,
        call: Call,
        *,
        query: Mapping[str, str | int] | None,
        payload: object,
        body: Body | None,
    ) -> requests.PreparedRequest:
        if self._prepared_base is None:
            # Prepared at the first request, so that an invalid address fails like a request.
            self._prepared_base = requests.Request("GET", self._base).prepare().url or ""
        request = requests.PreparedRequest()
        request.method = call.method
        request.url = f"{self._prepared_base}{call.path}"
        if query:
            request.url += f"?{urlencode(query)}"
        request.headers = CaseInsensitiveDict(self._headers)
        if payload is not None:
            # UTF-8 instead of escapes: newer servers limit a body to 300,000 bytes, and a long
            # message of escaped emoji comes close to that. A lone surrogate cannot be sent.
            request.body = json.dumps(payload, ensure_ascii=False).encode("utf-8", "replace")
            request.headers["Content-Type"] = "application/json"
        elif body is not None:
            request.body = PacedBody(body, step_s=self._read_timeout_s)  # type: ignore[assignment]
            request.headers["Content-Type"] = "application/octet-stream"
        if request.body is not None or call.method != "GET":
            request.headers["Content-Length"] = str(len(request.body or b""))
        return request

    @staticmethod
    def _require_success(response: requests.Response, content: bytes, call: Call) -> None:
        headers = response.headers
        content_type = headers.get("Content-Type", "")
        compressed = is_compressed(response)
        if compressed:
            # A small compressed answer could be large in memory, so it is not decompressed.
            content, content_type = COMPRESSED.encode(), ""
        verdict = classify(response.status_code, content_type, content, path=call.path)
        if verdict is None:
            return
        limited = verdict.reason is Reason.RATE_LIMITED
        redirected = verdict.reason is Reason.REDIRECTED
        seen = redirect_host(headers.get("Location", "")) if redirected else ""
        raise call.failed(
            verdict.error,
            verdict.reason,
            status=response.status_code,
            error_id=verdict.error_id,
            request_id=verdict.request_id or clean_id(headers.get("X-Request-Id")),
            retry_after_s=retry_after_s(headers) if limited else 0.0,
            detail=COMPRESSED if compressed else seen,
        )


def route(*segments: str) -> str:
    """Return the path within the API that these segments form.

    Raises:
        RefusedError: a segment is empty, "." or ".."; nothing was sent.
    """
    if any(segment in ("", ".", "..") for segment in segments):
        # With an empty id "/posts//thread" would be another call.
        raise RefusedError(Reason.INVALID_REQUEST, path=f"/{segments[0]}", detail="an id is empty")
    return "/" + "/".join(quote(segment, safe="") for segment in segments)


def parse_server_url(server_url: str) -> str:
    """Return the address without a slash at its end.

    Raises:
        ValueError: the text cannot be a server's address.
    """
    parts = urlsplit(server_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("The server URL must look like https://mattermost.example.com")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("The server URL must hold no user, password, query or fragment")
    return server_url.rstrip("/")


def _headers(token: str) -> dict[str, str]:
    # Checked here, because the HTTP library's own error would quote the token.
    if not (token.isascii() and token.isalnum() and len(token) <= MAX_TOKEN_LENGTH):
        raise ValueError("The bot token must be letters and digits, 26 as a rule")
    return {
        "Authorization": f"Bearer {token}",
        "Accept": "application/json",
        # Without compression the size limit holds for memory too, and answers are small anyway.
        "Accept-Encoding": "identity",
        "User-Agent": "ireserve-mattermost",
    }
