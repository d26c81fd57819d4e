"""The line that says which messages a thread lacks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.failures import OwnReason
from tasks.mattermost import Reason
from tasks.outbound.missing_messages import missing_reason_of, missing_sender_of
from tasks.rendering import (
    DEFAULT_LOCALE,
    WORDINGS,
    Locale,
    MissingMessages,
    MissingReason,
    missing_line,
)

AT = datetime(2026, 5, 1, 14, 3, tzinfo=UTC)


def group(count: int = 1, **more: object) -> MissingMessages:
    """Return missing messages of a visitor, who wrote while Mattermost could not be reached."""
    values = {"sender": "visitor", "reason": MissingReason.NOT_REACHED, "is_doubtful": False}
    return MissingMessages(**{"count": count, "first_at": AT, "last_at": AT, **values, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        pytest.param(
            [group()],
            "⚠️ 1 message before this one is missing here (visitor; 1 May 2026 14:03 UTC): "
            "Mattermost could not be reached. It is in i-Reserve.",
            id="one",
        ),
        pytest.param(
            [
                group(2, last_at=AT + timedelta(minutes=2)),
                group(sender="agent", reason=MissingReason.REFUSED),
                group(sender="system", reason=MissingReason.SWITCHED_OFF),
            ],
            "⚠️ 4 messages before this one are missing here (2 × visitor, 1 × agent, "
            "1 × i-Reserve; 1 May 2026 14:03 UTC – 1 May 2026 14:05 UTC): "
            "2 × Mattermost could not be reached, 1 × Mattermost refused to take it, "
            "1 × the connection to Mattermost was switched off. They are in i-Reserve.",
            id="several",
        ),
        pytest.param(
            [group(), group(sender="robot", is_doubtful=True)],
            "⚠️ 2 messages before this one may be missing here, or parts of them "
            "(1 × visitor, 1 × unknown sender; 1 May 2026 14:03 UTC): "
            "Mattermost could not be reached. They are in i-Reserve.",
            id="in doubt",
        ),
    ],
)
def test_line_says_how_many_whose_when_and_why(
    groups: list[MissingMessages], expected: str
) -> None:
    """The line has number, senders, times and reasons of the missing messages."""
    assert missing_line(groups, DEFAULT_LOCALE) == expected


GROUPS = st.builds(
    MissingMessages,
    sender=st.sampled_from(["visitor", "agent", "bot", "system", "note", "unknown"]),
    reason=st.sampled_from(MissingReason),
    is_doubtful=st.booleans(),
    count=st.integers(1, 100_000),
    first_at=st.datetimes(timezones=st.just(UTC)),
    last_at=st.datetimes(timezones=st.just(UTC)),
)


@given(st.lists(GROUPS, min_size=1, max_size=72), st.sampled_from(sorted(WORDINGS)))
def test_any_missing_messages_are_one_short_line(
    groups: list[MissingMessages], language: str
) -> None:
    """Any number of missing messages gives one line that fits below a text, in each language."""
    line = missing_line(groups, Locale.of(language=language, time_zone="Europe/Amsterdam"))

    assert line.startswith("⚠️ ")
    assert "\n" not in line
    assert str(sum(each.count for each in groups)) in line
    assert len(line) < 1_000


@pytest.mark.parametrize(
    ("payload", "missing"),
    [
        ({"text": "x", "sender_role": "visitor"}, "visitor"),
        ({"text": "x", "sender_role": "bot"}, "bot"),
        ({"text": "x", "sender_role": "agent", "visibility": "internal"}, "note"),
        ({"text": "x", "sender_role": ["robot"]}, "unknown"),
        ({"attachments": [{"name": "a"}], "sender_role": "agent"}, "agent"),
        ({"text": 5}, "unknown"),
        ({"text": " \u200b", "sender_role": "visitor"}, None),
        ({"sender_role": "visitor"}, None),
        ({"text": "x", "sender_role": "agent", "origin_post_id": "p"}, None),
    ],
    ids=repr,
)
def test_what_a_thread_misses_is_what_was_said(
    payload: dict[str, object], missing: str | None
) -> None:
    """Only a failed message with content that is not in Mattermost counts as missing."""
    assert missing_sender_of({"message_id": "m1", **payload}) == missing
    assert missing_sender_of(payload) is None


def test_each_reason_of_the_ledger_has_words_for_the_team() -> None:
    """Each reason of the ledger has a text for the team; an unknown reason counts as a refusal."""
    known = {reason.value: missing_reason_of(reason.value) for reason in (*Reason, *OwnReason)}

    assert known["unreachable"] is MissingReason.NOT_REACHED
    assert known["internal_error"] is MissingReason.OWN_ERROR
    assert missing_reason_of("later") is missing_reason_of(None) is MissingReason.REFUSED
    assert set(known.values()) == set(MissingReason)
