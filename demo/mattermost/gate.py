"""The hooks before and after every API request: rate limit, record, token and faults."""

import math

from flask import Blueprint, Response, g, request

from demo.mattermost import errors
from demo.mattermost.errors import ApiError
from demo.mattermost.exchange import answer, asking_user, backend, refusal
from demo.mattermost.faults import (
    AFTER_ACCEPTING,
    INSTEAD_OF_AN_ANSWER,
    Fault,
    FaultKind,
    FaultScope,
)
from demo.mattermost.ids import new_id
from demo.mattermost.rate_limit import Verdict
from demo.mattermost.received import Received
from demo.mattermost.wire import CUT_CONNECTION

API_PREFIX = "/api/v4"

# The longest address, and the number of bytes by which a body may exceed its setting.
MAX_URL_LENGTH = 2048
_BODY_OVERHEAD_BYTES = 512

_HTML_OF_THE_WEB_CLIENT = "<html></html>\n"
_HTML_OF_A_PROXY = "<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>\n"
_HTML = "text/html; charset=utf-8"
_PLAIN = "text/plain; charset=utf-8"
# Paths that the server answers without its database.
_NEED_NO_DATABASE = ("/system/", "/config/")
_BROKEN = errors.Refusal(500, "stand_in.fault.app_error", "Internal Server Error")


def guard(api: Blueprint) -> None:
    """Install the hooks before and after every route of the API, unknown paths included."""
    api.before_app_request(_enter)
    api.after_app_request(_leave)


def _enter() -> Response | None:
    if not request.path.startswith(API_PREFIX):
        return None
    g.request_id = new_id()
    path = request.path.removeprefix(API_PREFIX)
    query = request.query_string.decode("latin-1")
    g.entry = backend().record.begin(request.method, path, query=query)
    g.user = asking_user()
    if g.user is not None:
        g.entry.user_id, g.entry.username = g.user.id, g.user.username
    return _limited() or _over_limit() or (_fault_answer(g.entry) if backend().faults else None)


def _leave(response: Response) -> Response:
    if "entry" not in g:
        return response
    if backend().faults and response.status_code < 400 and "instead" not in g:
        _apply_fault_afterwards(g.entry)
    if "rate" in g:
        response.headers.update(g.rate.headers)
    if ("rate" not in g or g.rate.allowed) and "is_unversioned" not in g:
        response.headers["X-Request-Id"] = g.request_id
        response.headers["X-Version-Id"] = backend().version_id
        response.headers.update(backend().options.version.headers)
    _finish(g.entry, response)
    return response


def _limited() -> Response | None:
    options = backend().options
    if not options.RateLimitEnable:
        return None
    by_user = request.headers.get("Authorization", "") if options.RateLimitVaryByUser else ""
    by_address = (request.remote_addr or "") if options.RateLimitVaryByRemoteAddr else ""
    g.rate = backend().rate_limiter.ask(by_address + by_user, options)
    return None if g.rate.allowed else _too_many(g.rate)


def _over_limit() -> Response | None:
    """Refuse a long address, and a large body that is no file, as newer versions do."""
    options = backend().options
    if not options.version.limits_requests:
        return None
    if len(request.full_path) > MAX_URL_LENGTH:
        return refusal(ApiError(errors.URL_TOO_LONG))
    limit = options.MaximumPayloadSizeBytes + _BODY_OVERHEAD_BYTES
    is_file = g.entry.path == "/files"
    if is_file or (request.content_length or 0) <= limit:
        return None
    return refusal(ApiError(errors.BODY_TOO_LARGE, limit=limit))


def _too_many(verdict: Verdict) -> Response:
    headers = verdict.headers | {"X-Content-Type-Options": "nosniff"}
    return Response("limit exceeded\n", 429, headers, content_type=_PLAIN)


def _scope() -> FaultScope:
    if request.method == "POST" and g.entry.path == "/posts":
        return FaultScope.POSTS
    if g.entry.path.endswith("/patch"):
        return FaultScope.EDITS
    return FaultScope.FILES if g.entry.path.startswith("/files") else FaultScope.ALL


def _fault_answer(entry: Received) -> Response | None:
    """Return the answer of a fault instead of the real answer, after all delays."""
    subject = backend().subject(_scope(), g.user)
    backend().pause(backend().faults.take_delay_s(subject))
    fault = backend().faults.take(INSTEAD_OF_AN_ANSWER, subject)
    if fault is None:
        return None
    response = _instead(fault)
    if response is not None:
        g.instead = True
        entry.fault = fault.kind
    return response


def _instead(fault: Fault) -> Response | None:
    match fault.kind:
        case FaultKind.DATABASE_AWAY:
            return _without_database(fault.caches)
        case FaultKind.UNAUTHORIZED:
            return refusal(ApiError(errors.SESSION_EXPIRED))
        case FaultKind.ERROR_500:
            return refusal(ApiError(_BROKEN))
        case FaultKind.HTML_200:
            return Response(_HTML_OF_THE_WEB_CLIENT, content_type=_HTML)
        case FaultKind.HTML_502:
            return _of_a_proxy(502, "Bad Gateway")
        case FaultKind.HTML_503:
            return _of_a_proxy(503, "Service Unavailable")
        case FaultKind.RATE_LIMITED:
            g.rate = _as_if_full(fault.retry_after_s)
            return _too_many(g.rate)
        case _:
            request.environ[CUT_CONNECTION] = True
            return Response()


def _without_database(caches: str) -> Response | None:
    """Return the answer of a server without its database; None if the path needs none.

    A reply is refused as if its root did not exist. Every other request for posts gets a 500.
    Without the members in its cache the server takes the bot for no member. With no cache at all
    the server takes the bot's token for not valid.
    """
    path, is_change = g.entry.path, request.method != "GET"
    if path == "/system/ping" and request.args.get("get_server_status") == "true":
        return answer({"status": "UNHEALTHY", "database_status": "UNHEALTHY"}, 500)
    if path.startswith(_NEED_NO_DATABASE):
        return None
    if caches == "cold":
        return refusal(ApiError(errors.SESSION_EXPIRED))
    if caches == "without members" and is_change and path != "/posts/ids":
        return refusal(ApiError(errors.PERMISSIONS))
    if request.method == "POST" and path == "/posts":
        body = request.get_json(force=True, silent=True)
        is_reply = isinstance(body, dict) and bool(body.get("root_id"))
        return refusal(ApiError(errors.POST_ROOT if is_reply else errors.POST_SAVE))
    return refusal(ApiError(errors.POST_GET_FAILED))


def _of_a_proxy(status: int, reason: str) -> Response:
    page = _HTML_OF_A_PROXY.format(f"{status} {reason}")
    return Response(page, status, content_type=_HTML)


def _as_if_full(retry_after_s: int) -> Verdict:
    options = backend().options
    size = options.RateLimitMaxBurst + 1
    headers = {
        "X-Ratelimit-Limit": str(size),
        "X-Ratelimit-Remaining": "0",
        "X-Ratelimit-Reset": str(math.ceil(size / options.RateLimitPerSec)),
        "Retry-After": str(retry_after_s),
    }
    return Verdict(allowed=False, headers=headers)


def _apply_fault_afterwards(entry: Received) -> None:
    fault = backend().faults.take(AFTER_ACCEPTING, backend().subject(_scope(), g.user))
    if fault is None:
        return
    entry.fault = fault.kind
    if fault.kind == FaultKind.ACCEPT_THEN_DROP:
        request.environ[CUT_CONNECTION] = True
    else:
        backend().pause(fault.seconds)


def _finish(entry: Received, response: Response) -> None:
    error_id = g.get("error_id", "")
    outcome = f"{response.status_code} {error_id}".strip()
    entry.outcome = "dropped" if request.environ.get(CUT_CONNECTION) else outcome
    backend().remember(entry)
