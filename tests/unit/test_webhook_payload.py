"""How an outgoing webhook's call is read, and with which words it is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from inbound.payload import (
    FORM,
    JSON,
    MAX_FORM_FIELDS,
    RefusedWebhookError,
    WebhookCall,
    parse_webhook,
    read_fields,
    token_of,
)
from tests.webhook_calls import CALLS, POST_ID, TOKEN, as_form, as_json, payload

USER_ID = payload()["user_id"]
ID_ERROR = "is not an id of Mattermost"


@pytest.mark.parametrize("name", sorted(CALLS))
def test_recorded_call_gives_post_and_author(name: str) -> None:
    """Each recorded call of a real server gives post, author and token."""
    call = CALLS[name]
    expected = read_by_hand(call)

    fields = read_fields(call["body"].encode(), mimetype=call["headers"]["Content-Type"])

    assert (token_of(fields), parse_webhook(fields)) == expected


def read_by_hand(call: dict[str, Any]) -> tuple[str, WebhookCall]:
    """Return token and content of a recorded call, parsed without our code."""
    body = call["body"]
    said = (
        json.loads(body)
        if body.startswith("{")
        else dict(pair.split("=", 1) for pair in body.split("&"))
    )
    return said["token"], WebhookCall(post_id=said["post_id"], user_id=said["user_id"])


@pytest.mark.parametrize(
    ("mimetype", "body", "status", "message", "field"),
    [
        ("", b"{}", 415, f"the content type must be {JSON} or {FORM}", None),
        ("text/plain", b"{}", 415, f"the content type must be {JSON} or {FORM}", None),
        (JSON, b"", 400, "the body is not valid JSON in UTF-8", None),
        (JSON, b'{"token": "a"', 400, "the body is not valid JSON in UTF-8", None),
        (JSON, b'{"timestamp": NaN}', 400, "the body is not valid JSON in UTF-8", None),
        (JSON, b'{"timestamp": 1%s}' % (b"0" * 5_000), 400, "the body is not valid JSON in UTF-8",
         None),
        (JSON, b"[" * 200_000, 400, "the body is not valid JSON in UTF-8", None),
        (JSON, b'{"token": "\xff"}', 400, "the body is not valid JSON in UTF-8", None),
        (JSON, '{"token": "a"}'.encode("utf-16"), 400, "the body is not valid JSON in UTF-8", None),
        (JSON, b"\xef\xbb\xbf{}", 400, "the body is not valid JSON in UTF-8", None),
        (JSON, b"[]", 400, "the body is not a JSON object", None),
        (JSON, b'"token"', 400, "the body is not a JSON object", None),
        (JSON, b'{"token": "a", "token": "b"}', 400, "token: is given twice", "token"),
        (FORM, b"token=a&token=b", 400, "token: is given twice", "token"),
        (JSON, b'{"post_id": "a", "post_id": "a"}', 400, "post_id: is given twice", "post_id"),
        (FORM, b"post_id=a&post_id=a", 400, "post_id: is given twice", "post_id"),
        (JSON, b'{"user_id": "a", "user_id": "a"}', 400, "user_id: is given twice", "user_id"),
        (FORM, b"user_id=a&user_id=a", 400, "user_id: is given twice", "user_id"),
        (FORM, b"token=%ff", 400, "the body is not a valid form in UTF-8", None),
        (FORM, b"token=\xff", 400, "the body is not a valid form in UTF-8", None),
        (FORM, b"a=b&" * MAX_FORM_FIELDS + b"a=b", 400, "the body is not a valid form in UTF-8",
         None),
    ],
    ids=[
        "no type", "other type", "empty", "cut off", "NaN", "huge number", "deep", "bad UTF-8",
        "UTF-16", "byte order mark", "list", "string", "JSON token twice", "form token twice",
        "JSON post twice", "form post twice", "JSON user twice", "form user twice",
        "form escape", "form byte", "form too many",
    ],
)  # fmt: skip
def test_body_that_cannot_be_read_is_refused(
    mimetype: str, body: bytes, status: int, message: str, field: str | None
) -> None:
    """A body that does not match its type is refused with a status, and the field if known."""
    with pytest.raises(RefusedWebhookError) as caught:
        read_fields(body, mimetype=mimetype)

    assert (caught.value.status, str(caught.value), caught.value.field) == (status, message, field)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"post_id": None}, "post_id: is missing"),
        ({"user_id": None}, "user_id: is missing"),
        ({"post_id": ""}, f"post_id: {ID_ERROR}"),
        ({"post_id": "a" * 25}, f"post_id: {ID_ERROR}"),
        ({"post_id": "a" * 27}, f"post_id: {ID_ERROR}"),
        ({"post_id": "A" * 26}, f"post_id: {ID_ERROR}"),
        ({"post_id": "a" * 25 + "\0"}, f"post_id: {ID_ERROR}"),
        ({"post_id": "a" * 26 + "\n"}, f"post_id: {ID_ERROR}"),
        ({"post_id": "a" * 25 + "\ud800"}, f"post_id: {ID_ERROR}"),
        ({"post_id": "a" * 25 + "٣"}, f"post_id: {ID_ERROR}"),
        ({"user_id": "../" + "a" * 23}, f"user_id: {ID_ERROR}"),
        ({"post_id": 5}, "post_id: must be a string"),
        ({"user_id": {"a": 1}}, "user_id: must be a string"),
    ],
    ids=repr,
)
def test_wrong_field_is_named(changes: dict[str, Any], message: str) -> None:
    """A missing or wrong field is named, without its value."""
    with pytest.raises(RefusedWebhookError) as caught:
        parse_webhook(payload(**changes))

    assert (caught.value.status, str(caught.value)) == (400, message)
    assert caught.value.field == message.partition(":")[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"text": ""},
        {"text": "\0\ud800"},
        {"text": None, "trigger_word": None, "timestamp": None},
        {"timestamp": "1795352199"},
        {"timestamp": 10**4_000},
        {"timestamp": 1.764e12},
        {"timestamp": "-5"},
        {"timestamp": True},
        {"text": ["hello"]},
        {"file_ids": []},
        {"team_id": 5, "channel_id": {"a": 1}, "user_name": False},
        {"root_id": 5, "root_name": {"deep": [1]}},
    ],
    ids=[
        "empty text", "nasty text", "left out", "seconds", "huge", "fraction", "negative",
        "boolean", "list as text", "list of files", "other types", "fields of tomorrow",
    ],
)  # fmt: skip
def test_odd_field_that_is_not_needed_does_no_harm(changes: dict[str, Any]) -> None:
    """Unused fields may be missing, odd or new."""
    assert parse_webhook(payload(**changes)) == WebhookCall(POST_ID, USER_ID)


@pytest.mark.parametrize(
    ("mimetype", "body"),
    [(JSON, b'{"text": "a", "text": "b"}'), (FORM, b"text=a&text=b&timestamp=1&timestamp=2")],
    ids=[JSON, FORM],
)
def test_field_that_is_not_used_may_come_twice(mimetype: str, body: bytes) -> None:
    """An unused field may come twice; the last value counts."""
    assert read_fields(body, mimetype=mimetype)["text"] == "b"


@pytest.mark.parametrize(
    ("mimetype", "body"), [(JSON, as_json(payload())), (FORM, as_form(payload()))], ids=[JSON, FORM]
)
def test_both_content_types_say_the_same(mimetype: str, body: bytes) -> None:
    """JSON and form give the same reply, with milliseconds or seconds."""
    fields = read_fields(body, mimetype=mimetype)

    assert (token_of(fields), parse_webhook(fields)) == (TOKEN, WebhookCall(POST_ID, USER_ID))


@pytest.mark.parametrize("fields", [{}, {"token": None}, {"token": ""}], ids=repr)
def test_token_that_is_not_there_is_empty(fields: dict[str, Any]) -> None:
    """A missing, null or empty token is read as the empty token."""
    assert token_of(fields) == ""


def test_token_of_a_wrong_type_is_refused() -> None:
    """A token that is a number is a malformed call."""
    with pytest.raises(RefusedWebhookError, match=r"^token: must be a string$"):
        token_of({"token": 5})
