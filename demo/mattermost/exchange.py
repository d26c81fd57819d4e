"""The request at hand: who asks, what it carries, and how to answer in JSON."""

import json
from collections.abc import Mapping
from typing import Any

from flask import Response, g, request

from demo.mattermost import errors
from demo.mattermost.backend import Backend
from demo.mattermost.entities import User
from demo.mattermost.errors import ApiError
from demo.mattermost.ids import is_id, new_id
from demo.mattermost.permissions import is_admin
from demo.mattermost.received import Received

# The key under which a request's environment names the server that it reached.
BACKEND = "stand_in.backend"


def backend() -> Backend:
    """The server that this request reached."""
    found: Backend = request.environ[BACKEND]
    return found


def entry() -> Received:
    """What the record says of this request."""
    found: Received = g.entry
    return found


def asking_user() -> User | None:
    """The user whose token the request carries, None for none, a bad or a dead one."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    state = backend().state
    token = state.tokens.get(secret) if scheme.lower() in ("bearer", "token") else None
    if token is None or not token.is_active:
        return None
    user = state.users[token.user_id]
    return None if user.delete_at else user


def current_user() -> User:
    """The user who asks.

    Raises: ApiError 401 without a valid token.
    """
    user: User | None = g.user
    if user is None:
        raise ApiError(errors.SESSION_EXPIRED)
    return user


def require_admin() -> User:
    """The user who asks, an administrator.

    Raises: ApiError 401 without a valid token, 403 for any other user.
    """
    user = current_user()
    if not is_admin(user):
        raise ApiError(errors.PERMISSIONS)
    return user


def require_id(value: str, name: str) -> str:
    """An id from the address.

    Raises: ApiError 400 that names the parameter, when it cannot be an id.
    """
    if not is_id(value):
        raise ApiError(errors.INVALID_URL_PARAM, name=name)
    return value


def json_body(name: str) -> Any:
    """The JSON in the body.

    Raises: ApiError 400 that names what was expected, for anything else.
    """
    try:
        return json.loads(request.get_data())
    except ValueError:
        raise ApiError(errors.INVALID_BODY_PARAM, name=name) from None


def json_object(name: str) -> Mapping[str, Any]:
    """The JSON object in the body.

    Raises: ApiError 400 that names what was expected, for anything else.
    """
    body = json_body(name)
    if not isinstance(body, dict):
        raise ApiError(errors.INVALID_BODY_PARAM, name=name)
    return body


def answer(value: object, status: int = 200, *, content_type: str = "application/json") -> Response:
    """A JSON answer."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Response(text, status=status, content_type=content_type)


def status_ok() -> Response:
    """What Mattermost answers when there is nothing to tell."""
    return answer({"status": "OK"})


def refusal(error: ApiError, *, content_type: str = "application/json") -> Response:
    """The JSON of an error, with the id of this request."""
    g.error_id = error.id
    shape = {
        "id": error.id,
        "message": error.message,
        "detailed_error": "",
        "request_id": g.setdefault("request_id", new_id()),
        "status_code": error.status,
    }
    return answer(shape, error.status, content_type=content_type)
