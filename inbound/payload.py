"""What an outgoing webhook of Mattermost says, as JSON or as a form, checked at the edge.

Source: developers.mattermost.com/integrate/webhooks/outgoing; server 6.7.2 was tried. The page's
JSON sample gives the timestamp as a string of seconds; the server sends milliseconds as a number.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import NoReturn, TypeAlias
from urllib.parse import parse_qsl

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
# Mattermost sends 12; each one costs time to decode before a token was shown.
MAX_FORM_FIELDS = 100

Fields: TypeAlias = Mapping[str, object]

# What is used of a call. The other fields are the server's to change: they are not judged.
_USED = frozenset({"token", "post_id", "user_id"})
_ID = re.compile(r"[a-z0-9]{26}")


class RefusedWebhookError(Exception):
    """The call is answered with ``status`` and ``problem``, and changes nothing.

    ``field`` is one of the names that Mattermost sends, or None. Nothing that came with the call
    is quoted.
    """

    def __init__(
        self, problem: str, *, field: str | None = None, status: int = HTTPStatus.BAD_REQUEST
    ) -> None:
        super().__init__(problem if field is None else f"{field}: {problem}")
        self.field = field
        self.status = status


@dataclass(frozen=True, slots=True)
class WebhookCall:
    """Which post was written, and by whom. All else is asked of the server itself."""

    post_id: str
    user_id: str


def read_fields(body: bytes, *, mimetype: str) -> Fields:
    """Return the fields by name, whichever of the two content types they came in.

    Raises:
        RefusedWebhookError: the content type is another one (415), or the body is not in it (400).
    """
    if mimetype == JSON:
        return _read_json(body)
    if mimetype == FORM:
        return _read_form(body)
    raise RefusedWebhookError(
        f"the content type must be {JSON} or {FORM}", status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    )


def token_of(fields: Fields) -> str:
    """Return the token, empty when there is none.

    Raises:
        RefusedWebhookError: it is not a string.
    """
    token = fields.get("token")
    if token is None:
        return ""
    if not isinstance(token, str):
        raise RefusedWebhookError("must be a string", field="token")
    return token


def parse_webhook(fields: Fields) -> WebhookCall:
    """Return what the fields say.

    Raises:
        RefusedWebhookError: an id is missing, of a wrong type, or none of Mattermost's.
    """
    return WebhookCall(post_id=_id(fields, "post_id"), user_id=_id(fields, "user_id"))


def _read_json(body: bytes) -> Fields:
    try:
        # From text: given bytes, the library would take UTF-16 and UTF-32 as well.
        value = json.loads(body.decode(), object_pairs_hook=_unique, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise RefusedWebhookError("the body is not valid JSON in UTF-8") from None
    if not isinstance(value, dict):
        raise RefusedWebhookError("the body is not a JSON object")
    return value


def _read_form(body: bytes) -> Fields:
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FORM_FIELDS
        )
    except ValueError:
        raise RefusedWebhookError("the body is not a valid form in UTF-8") from None
    return _unique(pairs)


def _unique(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    # Of two values one reader takes the first and another the last: a token must not depend on it.
    fields: dict[str, object] = {}
    for name, value in pairs:
        if name in fields and name in _USED:
            raise RefusedWebhookError("is given twice", field=name)
        fields[name] = value
    return fields


def _refuse(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


def _id(fields: Fields, name: str) -> str:
    value = fields.get(name)
    if value is None:
        raise RefusedWebhookError("is missing", field=name)
    if not isinstance(value, str):
        raise RefusedWebhookError("must be a string", field=name)
    if not _ID.fullmatch(value):
        raise RefusedWebhookError("is not an id of Mattermost", field=name)
    return value
