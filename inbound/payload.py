"""Parses and checks the calls of Mattermost's outgoing webhooks, in JSON or as a form.

Source: developers.mattermost.com/integrate/webhooks/outgoing; tried with server 6.7.2. The page's
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
# Mattermost sends 12. Decoding a field takes time, and comes before the check of the token.
MAX_FORM_FIELDS = 100

Fields: TypeAlias = Mapping[str, object]

# The fields that are used. The others are not checked, because Mattermost may change them.
_USED = frozenset({"token", "post_id", "user_id"})
_ID = re.compile(r"[a-z0-9]{26}")


class RefusedWebhookError(Exception):
    """The call is refused with ``status`` and ``problem``, and nothing is stored.

    ``field`` is the name of the wrong field, or None. The text quotes nothing of the call.
    """

    def __init__(
        self, problem: str, *, field: str | None = None, status: int = HTTPStatus.BAD_REQUEST
    ) -> None:
        super().__init__(problem if field is None else f"{field}: {problem}")
        self.field = field
        self.status = status


@dataclass(frozen=True, slots=True)
class WebhookCall:
    """The post and its author; everything else is fetched from the server itself."""

    post_id: str
    user_id: str


def read_fields(body: bytes, *, mimetype: str) -> Fields:
    """Return the fields by name, from a body in either content type.

    Raises:
        RefusedWebhookError: the content type is not allowed (415), or the body is invalid (400).
    """
    if mimetype == JSON:
        return _read_json(body)
    if mimetype == FORM:
        return _read_form(body)
    raise RefusedWebhookError(
        f"the content type must be {JSON} or {FORM}", status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    )


def token_of(fields: Fields) -> str:
    """Return the token, or an empty string if there is none.

    Raises:
        RefusedWebhookError: the token is not a string.
    """
    token = fields.get("token")
    if token is None:
        return ""
    if not isinstance(token, str):
        raise RefusedWebhookError("must be a string", field="token")
    return token


def parse_webhook(fields: Fields) -> WebhookCall:
    """Return the ids of the post and its author.

    Raises:
        RefusedWebhookError: an id is missing, is not a string, or is not an id of Mattermost.
    """
    return WebhookCall(post_id=_id(fields, "post_id"), user_id=_id(fields, "user_id"))


def _read_json(body: bytes) -> Fields:
    try:
        # Decode first, because from bytes ``json`` would also accept UTF-16 and UTF-32.
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
    # Of two values, some parsers take the first and others the last. A token must not depend on
    # the parser.
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
