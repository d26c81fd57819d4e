"""Helpers for the current request: the caller, the parameters, and JSON answers."""

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

# The key of the WSGI environment that holds the server which the request reached.
BACKEND = "stand_in.backend"


def backend() -> Backend:
    """Return the server that this request reached."""
    found: Backend = request.environ[BACKEND]
    return found


def entry() -> Received:
    """Return the record's entry of this request."""
    found: Received = g.entry
    return found


def asking_user() -> User | None:
    """Return the user of the request's token; None if the token is missing or not valid."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    state = backend().state
    token = state.tokens.get(secret) if scheme.lower() in ("bearer", "token") else None
    if token is None or not token.is_active:
        return None
    user = state.users[token.user_id]
    return None if user.delete_at else user


def current_user() -> User:
    """Return the caller.

    Raises:
        ApiError: 401 without a valid token.
    """
    user: User | None = g.user
    if user is None:
        raise ApiError(errors.SESSION_EXPIRED)
    return user


def require_admin() -> User:
    """Return the caller, who must be an administrator.

    Raises:
        ApiError: 401 without a valid token, 403 for any other user.
    """
    user = current_user()
    if not is_admin(user):
        raise ApiError(errors.PERMISSIONS)
    return user


def require_id(value: str, name: str) -> str:
    """Return an id from the address.

    Raises:
        ApiError: 400 with the parameter's name, if the value cannot be an id.
    """
    if not is_id(value):
        raise ApiError(errors.INVALID_URL_PARAM, name=name)
    return value


def json_body(name: str) -> Any:
    """Return the JSON value in the body.

    Raises:
        ApiError: 400 with the name of what was expected, if the body is not JSON.
    """
    try:
        return json.loads(request.get_data())
    except ValueError:
        raise ApiError(errors.INVALID_BODY_PARAM, name=name) from None


def json_object(name: str) -> Mapping[str, Any]:
    """Return the JSON object in the body.

    Raises:
        ApiError: 400 with the name of what was expected, if the body is no JSON object.
    """
    body = json_body(name)
    if not isinstance(body, dict):
        raise ApiError(errors.INVALID_BODY_PARAM, name=name)
    return body


def answer(value: object, status: int = 200, *, content_type: str = "application/json") -> Response:
    """Return a JSON answer."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Response(text, status=status, content_type=content_type)


def status_ok() -> Response:
    """Return Mattermost's answer to a request that returns no object."""
    return answer({"status": "OK"})


def refusal(error: ApiError, *, content_type: str = "application/json") -> Response:
    """Return the JSON answer of an error, with the id of this request."""
    g.error_id = error.id
    shape = {
        "id": error.id,
        "message": error.message,
        "detailed_error": "",
        "request_id": g.setdefault("request_id", new_id()),
        "status_code": error.status,
    }
    return answer(shape, error.status, content_type=content_type)
