"""The messages' schema: tied to the public tasks, and each wrong value named with its rule."""

from __future__ import annotations

import dataclasses
import inspect
from datetime import UTC, datetime
from typing import Any

import pytest

from ireserve_mattermost import create_root_post, post_reply, send_notification, sync_user
from ireserve_mattermost.messages import (
    KINDS,
    InvalidMessageError,
    key_of,
    lane_of,
    parse_message,
    unknown_fields,
)
from models.base import ID_LENGTH
from models.user import EMAIL_LENGTH
from tasks.replies.hand_over import ReplyNotice as ToldReply

TASKS: dict[str, Any] = {
    "root": create_root_post,
    "reply": post_reply,
    "notification": send_notification,
    "user": sync_user,
}
REPLY = {
    "licence_id": "L1",
    "conversation_id": "c1",
    "message_id": "m1",
    "sender_name": "Jan",
    "sender_role": "visitor",
    "text": "hello",
}
NOTIFICATION = {"licence_id": "L1", "notification_type": "booked", "text": "x"}


@pytest.mark.parametrize("kind", TASKS)
def test_task_declares_what_its_schema_has(kind: str) -> None:
    """What is declared is what is used: names, and what may be left out."""
    parameters = inspect.signature(TASKS[kind].run).parameters
    fields = {item.name: item for item in dataclasses.fields(KINDS[kind])}

    assert list(parameters) == list(fields)
    for name, parameter in parameters.items():
        may_be_left_out = fields[name].default is not dataclasses.MISSING
        assert (parameter.default is not parameter.empty) == may_be_left_out, name


@pytest.mark.parametrize(
    ("kind", "payload", "complaint"),
    [
        ("reply", {**REPLY, "sender_role": "robot"}, "sender_role: must be 'visitor' or 'agent'"),
        ("reply", {**REPLY, "text": None}, "give a text, attachments or both"),
        ("reply", {**REPLY, "text": 5}, "text: must be text"),
        ("reply", {**REPLY, "text": "x" * 500_001}, "text: must have at most 500000 characters"),
        ("reply", {**REPLY, "sender_name": None}, "sender_name: is missing"),
        ("reply", {**REPLY, "sent_at": "yesterday"}, "sent_at: must be a time in ISO 8601"),
        ("reply", {**REPLY, "sent_at": "0001-01-01T00:00:00+14:00"}, "sent_at: must be a time"),
        ("reply", {**REPLY, "sent_at": "9999-12-31T23:59:59-14:00"}, "sent_at: must be a time"),
        ("reply", {**REPLY, "sent_at": 10**20}, "sent_at: must be a time"),
        ("reply", {**REPLY, "attachments": [None]}, "attachments.0: must have a name"),
        ("reply", {**REPLY, "attachments": "a.png"}, "attachments: must be a list of files"),
        ("reply", {**REPLY, "attachments": [{"name": "a"}]}, "attachments.0: give exactly one"),
        (
            "reply",
            {**REPLY, "attachments": [{"name": 1, "path": "a"}]},
            "attachments.0.name: must be text",
        ),
        ("reply", {**REPLY, "message_id": ""}, "message_id: must not be empty"),
        ("reply", {**REPLY, "message_id": "a\nb"}, "message_id: must not hold control characters"),
        ("reply", {**REPLY, "message_id": True}, "message_id: must be text or a whole number"),
        ("notification", {**NOTIFICATION, "fields": {"a": None}}, "fields.0.value: must be text"),
        ("notification", {**NOTIFICATION, "fields": ["ab"]}, "fields.0: must be a pair"),
        ("notification", {**NOTIFICATION, "fields": [{"a": 1}]}, "fields.0: must be a pair"),
        ("notification", {**NOTIFICATION, "url": "ftp://x"}, "url: must start with http://"),
        ("notification", {**NOTIFICATION, "url": "http://[x"}, "url: must be a web address"),
        ("notification", {**NOTIFICATION, "color": "red"}, "color: must be 'good'"),
        ("user", {"licence_id": "L1", "user_id": 1, "email": "x", "name": "A"}, "email: must be"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_wrong_value_is_named_with_its_rule(
    kind: str, payload: dict[str, Any], complaint: str
) -> None:
    """The sentence names field, place inside of it, rule and cure."""
    with pytest.raises(InvalidMessageError) as refused:
        parse_message(kind, payload)

    assert str(refused.value).startswith(complaint)
    assert str(refused.value).endswith("(correct it and enqueue it again)")


def test_no_value_is_shown() -> None:
    """What was passed may be a name or a message."""
    wrong = {**REPLY, "sender_name": "GEHEIM" * 200, "sent_at": "GEHEIM", "sender_role": "GEHEIM"}

    with pytest.raises(InvalidMessageError) as refused:
        parse_message("reply", wrong)

    assert "GEHEIM" not in str(refused.value)
    assert str(refused.value).count(";") == 2


@pytest.mark.parametrize(
    "fields",
    [
        {"Guest": "Jan", "Nights": 3},
        [("Guest", "Jan"), ("Nights", 3)],
        [["Guest", "Jan"], ["Nights", "3"]],
        [{"title": "Guest", "value": "Jan"}, {"title": "Nights", "value": 3, "short": True}],
    ],
    ids=["mapping", "pairs", "lists", "Mattermost's own form"],
)
def test_fields_come_in_each_usual_form(fields: Any) -> None:
    """A mapping, pairs, and the form of Mattermost's own API."""
    notification = parse_message("notification", {**NOTIFICATION, "fields": fields})

    assert notification.fields == (("Guest", "Jan"), ("Nights", "3"))


@pytest.mark.parametrize(
    "given",
    ["2026-05-01T14:30:00", "2026-05-01T16:30:00+02:00", "2026-05-01T14:30:00Z"],
)
def test_time_is_in_utc(given: str) -> None:
    """Without a zone a time is in UTC already."""
    message = parse_message("reply", {**REPLY, "sent_at": given})

    assert message.sent_at == datetime(2026, 5, 1, 14, 30, tzinfo=UTC)


def test_message_does_not_show_names_and_texts() -> None:
    """A traceback may show its ``repr``."""
    shown = repr(parse_message("reply", {**REPLY, "text": "GEHEIM", "sender_name": "GEHEIM"}))

    assert "GEHEIM" not in shown
    assert "'m1'" in shown


def test_later_versions_fields_are_left_out_by_name() -> None:
    """A field that this version does not know costs itself alone."""
    payload = {**REPLY, "mood": "GEHEIM", "aim": 1}

    assert parse_message("reply", payload).text == "hello"
    assert unknown_fields("reply", payload) == ["aim", "mood"]


@pytest.mark.parametrize("value", ["", "é" * 51, "a\nb", None, 5.5, ["x"]])
def test_wrong_id_has_a_substitute_in_lane_and_key(value: Any) -> None:
    """It fits the ledger, and two wrong ids do not meet in one lane."""
    lane = lane_of("reply", {**REPLY, "conversation_id": value})
    other = lane_of("reply", {**REPLY, "conversation_id": "é" * 52})
    key = key_of("reply", {**REPLY, "message_id": value}, task_id="t1")

    assert len(lane.subject.encode()) <= ID_LENGTH
    assert lane.subject.isprintable()
    assert lane != other
    assert len(key) <= ID_LENGTH + len("notification-id:")


def test_lengths_are_those_of_the_tables() -> None:
    """What is accepted fits the columns that it goes to."""
    from ireserve_mattermost import messages, values

    assert values.ID_LENGTH == ID_LENGTH
    assert messages.EMAIL_LENGTH == EMAIL_LENGTH


def test_helper_for_replies_has_the_fields_of_what_is_told() -> None:
    """i-Reserve tests its task with the keywords that our workers use."""
    from ireserve_mattermost.testing import team_reply

    assert list(team_reply()) == [item.name for item in dataclasses.fields(ToldReply)]
