"""The schema of messages matches the public tasks, and names each wrong value with its rule."""

from __future__ import annotations

import dataclasses
import inspect
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ireserve_mattermost import create_root_post, post_reply, send_notification, sync_user
from ireserve_mattermost.keys import key_of, lane_of
from ireserve_mattermost.messages import KINDS, InvalidMessageError, parse_message, unknown_fields
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
ROOT = {"licence_id": "L1", "conversation_id": "c1", "visitor_name": "Jan"}
NOTIFICATION = {"licence_id": "L1", "notification_type": "booked", "text": "x"}


@pytest.mark.parametrize("kind", TASKS)
def test_task_declares_what_its_schema_has(kind: str) -> None:
    """Each task declares the names and the optional arguments of its schema."""
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
        ("reply", {**REPLY, "sender_name": None, "sender_role": "bot"}, "sender_name: is missing"),
        (
            "reply",
            {**REPLY, "visibility": "internal"},
            "visibility: a visitor's message is public",
        ),
        (
            "reply",
            {**REPLY, "visibility": "secret"},
            "visibility: must be 'public' or 'internal'",
        ),
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
        (
            "reply",
            {**REPLY, "message_id": "\ud83d"},
            "message_id: must not hold half of a character",
        ),
        ("reply", {**REPLY, "origin_post_id": ""}, "origin_post_id: must not be empty"),
        ("reply", {**REPLY, "message_id": True}, "message_id: must be text or a whole number"),
        ("reply", {**REPLY, "text": " \n\u200b"}, "give a text, attachments or both"),
        ("reply", {**REPLY, "message_id": 10**9000}, "message_id: must be a smaller number"),
        ("reply", {**REPLY, "message_id": 1.5}, "message_id: must be text or a whole number"),
        ("reply", {**REPLY, "message_id": ["1"]}, "message_id: must be text or a whole number"),
        ("reply", {**REPLY, "licence_id": None}, "licence_id: is missing"),
        ("reply", {**REPLY, "origin_post_id": {}}, "origin_post_id: must be text or a whole"),
        ("reply", {**REPLY, "sender_role": ["visitor"]}, "sender_role: must be 'visitor'"),
        (
            "reply",
            {**REPLY, "attachments": [{"name": "a", "url": None, "path": " "}]},
            "attachments.0: give exactly one",
        ),
        ("root", {**ROOT, "started_at": "0001-01-01T00:00:00+14:00"}, "started_at: must be a time"),
        ("notification", {**NOTIFICATION, "text": " "}, "give a text, a title or fields"),
        (
            "notification",
            {**NOTIFICATION, "text": "", "title": "\u200b\u3164", "fields": {"\u00ad": None}},
            "give a text, a title or fields",
        ),
        ("notification", {**NOTIFICATION, "fields": {"a": []}}, "fields.0.value: must be text"),
        ("notification", {**NOTIFICATION, "fields": [None]}, "fields.0: must be a pair"),
        ("notification", {**NOTIFICATION, "fields": {"a": 10**9000}}, "fields.0.value: must be a"),
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
    """The error names the field, the place in it, the rule and the cure."""
    with pytest.raises(InvalidMessageError) as refused:
        parse_message(kind, payload)

    assert str(refused.value).startswith(complaint)
    assert str(refused.value).endswith("(correct it and enqueue it again)")


def test_no_value_is_shown() -> None:
    """The error shows no value, which may be a name or a message."""
    wrong = {**REPLY, "sender_name": "GEHEIM" * 200, "sent_at": "GEHEIM", "sender_role": "GEHEIM"}

    with pytest.raises(InvalidMessageError) as refused:
        parse_message("reply", wrong)

    assert "GEHEIM" not in str(refused.value)
    assert str(refused.value).count(";") == 2


@pytest.mark.parametrize(
    ("kind", "arguments", "field", "expected"),
    [
        ("root", {**ROOT, "page_url": " "}, "page_url", None),
        ("root", {**ROOT, "page_url": None}, "page_url", None),
        ("reply", {**REPLY, "attachments": None}, "attachments", ()),
        ("reply", {**REPLY, "text": "\u200b", "origin_post_id": "p1"}, "text", "\u200b"),
        ("reply", {**REPLY, "sent_at": " "}, "sent_at", None),
        ("notification", {**NOTIFICATION, "url": ""}, "url", None),
        ("notification", {**NOTIFICATION, "color": "\u200b"}, "color", None),
        ("notification", {**NOTIFICATION, "fields": {"Phone": None}}, "fields", (("Phone", ""),)),
        ("notification", {**NOTIFICATION, "text": None, "title": "T"}, "text", ""),
    ],
)
def test_an_empty_value_is_accepted(
    kind: str, arguments: dict[str, Any], field: str, expected: Any
) -> None:
    """An empty optional value is left out, and the message is accepted."""
    assert getattr(parse_message(kind, arguments), field) == expected


@pytest.mark.parametrize(("value", "word"), [(True, "yes"), (False, "no")])
def test_yes_and_no_are_words_in_a_field(value: bool, word: str) -> None:
    """True and False are shown as yes and no in the fields of a notification."""
    notification = parse_message("notification", {**NOTIFICATION, "fields": {"Paid": value}})

    assert notification.fields == (("Paid", word),)


EDGES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.just(10**9000),
    st.floats(),
    st.text(),
    st.just("\ud800"),
    st.sampled_from(["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "24:00", "-1"]),
    st.datetimes(timezones=st.timezones()),
    st.lists(st.none() | st.text(max_size=3), max_size=3),
    st.dictionaries(st.text(max_size=3), st.none() | st.integers(), max_size=3),
    st.lists(
        st.fixed_dictionaries(
            {}, optional={"name": st.none() | st.text(), "url": st.none() | st.integers()}
        ),
        max_size=2,
    ),
)


@settings(max_examples=400)
@given(st.sampled_from(sorted(KINDS)), st.data())
def test_any_value_is_taken_or_refused_by_name(kind: str, data: st.DataObject) -> None:
    """Any value of any type is accepted, or the error names its field."""
    names = [item.name for item in dataclasses.fields(KINDS[kind])]
    payload = {name: data.draw(EDGES) for name in names}

    assert str(lane_of(kind, payload)).encode()
    assert key_of(kind, payload, task_id="t").encode()
    try:
        parse_message(kind, payload)
    except InvalidMessageError as error:
        refused = str(error)
        assert any(refused.startswith(name) for name in names) or refused.startswith("give ")


def test_unknown_arguments_are_named_wherever_they_are() -> None:
    """Unknown arguments of a newer host, also of a file, are named, and the rest is used."""
    known = {**REPLY, "attachments": [{"name": "a", "path": "b"}]}
    file = {"name": "a", "path": "b", "size": 3}
    payload = {**REPLY, "mood": "GEHEIM", "aim": 1, "attachments": [file]}

    assert unknown_fields("reply", payload) == ["aim", "attachments.size", "mood"]
    assert parse_message("reply", payload) == parse_message("reply", known)


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
    """Fields may be a mapping, pairs, or in the form of Mattermost's own API."""
    notification = parse_message("notification", {**NOTIFICATION, "fields": fields})

    assert notification.fields == (("Guest", "Jan"), ("Nights", "3"))


@pytest.mark.parametrize(
    "given",
    ["2026-05-01T14:30:00", "2026-05-01T16:30:00+02:00", "2026-05-01T14:30:00Z"],
)
def test_time_is_in_utc(given: str) -> None:
    """A time is converted to UTC; a time without a zone is in UTC."""
    message = parse_message("reply", {**REPLY, "sent_at": given})

    assert message.sent_at == datetime(2026, 5, 1, 14, 30, tzinfo=UTC)


def test_first_moment_of_the_calendar_is_accepted() -> None:
    """The earliest time that Python knows is accepted as it is."""
    message = parse_message("root", {**ROOT, "started_at": "0001-01-01T00:00:00Z"})

    assert message.started_at == datetime(1, 1, 1, tzinfo=UTC)


def test_message_does_not_show_names_and_texts() -> None:
    """The ``repr`` of a message, which a traceback may show, has no names or texts."""
    shown = repr(parse_message("reply", {**REPLY, "text": "GEHEIM", "sender_name": "GEHEIM"}))

    assert "GEHEIM" not in shown
    assert "'m1'" in shown


@pytest.mark.parametrize("value", ["", "é" * 51, "a\nb", None, 5.5, ["x"]])
def test_wrong_id_has_a_substitute_in_lane_and_key(value: Any) -> None:
    """A wrong id gets a substitute that fits the ledger; another wrong id gets another."""
    lane = lane_of("reply", {**REPLY, "conversation_id": value})
    other = lane_of("reply", {**REPLY, "conversation_id": "é" * 52})
    key = key_of("reply", {**REPLY, "message_id": value}, task_id="t1")

    assert len(lane.subject.encode()) <= ID_LENGTH
    assert lane.subject.isprintable()
    assert lane != other
    assert len(key) <= ID_LENGTH + len("notification-id:")


def test_lengths_are_those_of_the_tables() -> None:
    """The longest accepted ids and e-mail addresses fit the columns of the tables."""
    from ireserve_mattermost import messages, values

    assert values.ID_LENGTH == ID_LENGTH
    assert messages.EMAIL_LENGTH == EMAIL_LENGTH


def test_helper_for_replies_has_the_fields_of_what_is_told() -> None:
    """``team_reply``, for i-Reserve's tests, has the keywords that our workers send."""
    from ireserve_mattermost.testing import team_reply

    assert list(team_reply()) == [item.name for item in dataclasses.fields(ToldReply)]
