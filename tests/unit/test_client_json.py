"""Values without a JSON form are refused at the call, in a sentence that names the argument."""

from __future__ import annotations

import enum
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ireserve_mattermost import post_reply, send_notification
from ireserve_mattermost.keys import lane_of
from ireserve_mattermost.lane import Lane, LaneEntry
from ireserve_mattermost.message_task import entry_of
from ireserve_mattermost.testing import recording

REPLY: Any = post_reply
NOTIFY: Any = send_notification
MESSAGE = {"message_id": "m1", "sender_name": "Jan", "sender_role": "visitor", "text": "hello"}


class Lazy:
    """A text that is translated when it is shown, like a web framework's."""

    def __str__(self) -> str:
        return "hello"


class Role(str, enum.Enum):  # noqa: UP042 - its text differs between versions of Python
    """An enum of texts."""

    VISITOR = "visitor"


class Number(enum.IntEnum):
    """An enum of numbers."""

    SEVEN = 7


def _endless() -> list[Any]:
    found: list[Any] = []
    found.append(found)
    return found


def _deep() -> list[Any]:
    found: list[Any] = []
    for _ in range(100_000):
        found = [found]
    return found


NO_JSON: dict[str, tuple[Callable[[], Any], str]] = {
    "lazy text": (Lazy, "text holds a Lazy"),
    "bytes": (lambda: b"x", "text holds a bytes"),
    "decimal": (lambda: Decimal(1), "text holds a Decimal"),
    "uuid": (lambda: UUID(int=7), "text holds a UUID"),
    "date": (lambda: date(2026, 5, 1), "text holds a date"),
    "set": (lambda: {1}, "text holds a set"),
    "generator": (lambda: iter([1]), "text holds a list_iterator"),
    "mapping of its own": (lambda: MappingProxyType({}), "text holds a mappingproxy"),
    "inside of a list": (lambda: [{"a": b"x"}], "text holds a bytes"),
    "key": (lambda: {("a", "b"): 1}, "text holds a key that is no text"),
    "no number": (lambda: float("nan"), "text holds a number that JSON cannot write"),
    "endless number": (lambda: [10**5000], "text holds a number that JSON cannot write"),
    "itself": (_endless, "text holds a number that JSON cannot write, or itself"),
    "without end": (_deep, "text holds lists in lists without end"),
}


@pytest.mark.parametrize(("value", "complaint"), NO_JSON.values(), ids=NO_JSON.keys())
def test_what_json_has_no_form_for_is_refused(value: Callable[[], Any], complaint: str) -> None:
    """The error names the argument and what to pass, and nothing is enqueued."""
    with recording() as enqueued, pytest.raises(TypeError) as refused:
        REPLY.delay("L1", "c1", **{**MESSAGE, "text": value()})

    assert str(refused.value).startswith(complaint)
    assert ": pass " in str(refused.value)
    assert enqueued == []


def test_context_is_named_as_well() -> None:
    """A wrong value in the context is refused by name, too."""
    with recording() as enqueued, pytest.raises(TypeError, match=r"^context holds a Lazy: pass"):
        REPLY.apply_async(("L1", "c1"), MESSAGE, context={"request": Lazy()})

    assert enqueued == []


@pytest.mark.parametrize("name", ["licence_id", "conversation_id", "message_id"])
def test_half_a_character_in_an_id_is_refused(name: str) -> None:
    """A lone surrogate in an id is refused, since it would be stored as another id."""
    message = {"licence_id": "L1", "conversation_id": "c1", **MESSAGE, name: "a\ud83d"}

    with recording() as enqueued, pytest.raises(TypeError, match=f"^{name} holds half of a"):
        REPLY.delay(**message)

    assert enqueued == []


def test_half_a_character_in_a_text_costs_itself() -> None:
    """A lone surrogate in a text is replaced, and the rest of the text arrives."""
    with recording() as enqueued:
        REPLY.delay("L1", "c1", **{**MESSAGE, "text": "a\ud83db"})

    assert enqueued[0].arguments["text"] == "a?b"


def test_members_of_an_enum_are_what_they_stand_for() -> None:
    """Enum members are written as their values in lane, key and message."""
    payload = {"licence_id": Role.VISITOR, "conversation_id": Number.SEVEN, "message_id": 1}

    entry = entry_of("reply", payload | {"message_id": Role.VISITOR}, "t1")

    assert lane_of("reply", payload) == Lane.of_conversation("visitor", "7")
    assert str(lane_of("reply", payload)) == "visitor:c:7"
    assert entry.key == "reply:visitor"
    assert LaneEntry.load(b"0:" + entry.dump()).payload["conversation_id"] == 7


@pytest.mark.parametrize(
    ("visibility", "version"),
    [({}, 2), ({"visibility": "public"}, 2), ({"visibility": "internal"}, 3)],
    ids=["as ever", "public", "note"],
)
def test_note_is_an_entry_that_no_older_worker_reads(
    visibility: dict[str, str], version: int
) -> None:
    """A note has a later entry version, since an older worker would post it as a public message."""
    payload = {"licence_id": "L1", "conversation_id": "c1", **MESSAGE, **visibility}

    raw = entry_of("reply", payload, "t1").dump()

    assert raw.startswith(b'{"v":%d,' % version)
    assert LaneEntry.load(b"0:" + raw).payload == payload
    with pytest.raises(ValueError, match="another version"):
        LaneEntry.load(b"0:" + raw.replace(b'"v":%d' % version, b'"v":4'))


@pytest.mark.parametrize("title", [None, True, 7], ids=repr)
def test_title_of_a_field_stays_what_it_is(title: Any) -> None:
    """The title of a field stays text, even if JSON has a word for it, such as "null"."""
    with recording() as enqueued:
        NOTIFY.delay("L1", notification_type="paid", fields={title: "x"})

    assert enqueued[0].arguments["fields"] == [[title, "x"]]


def test_a_time_may_be_a_datetime() -> None:
    """A datetime is accepted and written in ISO 8601."""
    with recording() as enqueued:
        REPLY.delay("L1", "c1", **MESSAGE, sent_at=datetime(2026, 5, 1, tzinfo=UTC))

    assert enqueued[0].arguments["sent_at"] == "2026-05-01T00:00:00+00:00"


ANYTHING = st.recursive(
    st.sampled_from([None, True, 7, 10**400, 1.5, float("inf"), "a", "\ud83d", b"a", Lazy()])
    | st.text(max_size=3)
    | st.decimals()
    | st.datetimes()
    | st.uuids(),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.tuples(inner)
        | st.dictionaries(st.none() | st.booleans() | st.integers() | st.text(), inner, max_size=2)
    ),
    max_leaves=4,
)


@settings(max_examples=300)
@given(name=st.sampled_from(["conversation_id", *MESSAGE, "attachments"]), value=ANYTHING)
def test_any_value_is_written_or_refused_by_name(name: str, value: Any) -> None:
    """For any value, the lane's entry can be read again, or the error names the argument."""
    payload = {"licence_id": "L1", "conversation_id": "c1", **MESSAGE, name: value}

    try:
        raw = entry_of("reply", payload, "t1").dump()
    except TypeError as error:
        outcome = str(error)
    else:
        outcome = " ".join(LaneEntry.load(b"0:" + raw).payload)

    assert outcome.startswith((name, " ".join(payload)))
