"""What a server's headers say about its clock and its rate limit, even if they are odd."""

from __future__ import annotations

import time
from datetime import UTC
from email.utils import format_datetime, formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.mattermost.answer_headers import MAX_APART_MS, MAX_RESET_S, AnswerHeaders, RateLimit

LIMITS = ("X-Ratelimit-Limit", "X-Ratelimit-Remaining", "X-Ratelimit-Reset")


def _ms() -> int:
    return time.time_ns() // 1_000_000


@pytest.mark.parametrize("apart_s", [0, 90, -90, 3_600, -3_600], ids=str)
def test_servers_clock_is_what_its_answers_say(apart_s: int) -> None:
    """The server's time comes from its answers, to the second."""
    headers = AnswerHeaders.of({"Date": formatdate(time.time() + apart_s, usegmt=True)})

    ahead_ms = headers.now_ms() - _ms() - apart_s * 1_000

    assert -100 <= ahead_ms <= 1_100


@pytest.mark.parametrize(
    "date",
    ["", "soon", "0", "Wed, 01 Jan 2098 00:00:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT", "\u0660"],
    ids=ascii,
)
def test_date_that_is_none_or_far_away_says_nothing(date: str) -> None:
    """If the date is unusable or far away, our own clock counts."""
    assert abs(AnswerHeaders.of({"Date": date}).now_ms() - _ms()) < 1_000


DATES_OF_ANY_YEAR = st.datetimes(timezones=st.just(UTC)).map(
    lambda moment: format_datetime(moment, usegmt=True)
)
DATES_OF_THESE_DAYS = st.integers(-3 * 86_400, 3 * 86_400).map(
    lambda apart_s: formatdate(time.time() + apart_s, usegmt=True)
)
DATES_OF_ODD_ZONES = st.integers(-9_999, 9_999).map(
    lambda zone: f"{formatdate(time.time())[:-5]}{zone:+05}"
)


@given(date=DATES_OF_ANY_YEAR | DATES_OF_THESE_DAYS | DATES_OF_ODD_ZONES | st.text(max_size=60))
def test_no_date_moves_time_by_more_than_a_day(date: str) -> None:
    """No date header moves our idea of the time by more than a day."""
    assert abs(AnswerHeaders.of({"Date": date}).now_ms() - _ms()) <= MAX_APART_MS + 1_000


@pytest.mark.parametrize(
    ("values", "is_scarce"),
    [
        pytest.param(("101", "100", "1"), False, id="full"),
        pytest.param(("101", "51", "5"), False, id="half"),
        pytest.param(("101", "50", "5"), True, id="less than half"),
        pytest.param(("101", "0", "10"), True, id="none"),
        pytest.param(("101", "0", "0"), False, id="none, but all comes back at once"),
        pytest.param(("101", "0", "999999999"), True, id="a long time"),
    ],
)
def test_less_than_half_of_a_limit_is_scarce(values: tuple[str, ...], is_scarce: bool) -> None:
    """A rate limit is scarce until its reset if less than half of the requests is left."""
    rate = AnswerHeaders.of(dict(zip(LIMITS, values, strict=True))).rate

    assert rate is not None
    assert rate.is_scarce(time.monotonic()) is is_scarce
    assert not rate.is_scarce(time.monotonic() + MAX_RESET_S)


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(("101", "", "1"), id="one is missing"),
        pytest.param(("101", "-1", "1"), id="negative"),
        pytest.param(("101", "1e3", "1"), id="no number"),
        pytest.param(("9" * 400, "1", "1"), id="too many digits"),
    ],
)
def test_limit_that_cannot_be_read_is_none(values: tuple[str, ...]) -> None:
    """A rate limit with an unreadable header counts as no limit."""
    assert AnswerHeaders.of(dict(zip(LIMITS, values, strict=True))).rate is None


def test_server_without_a_limit_has_none() -> None:
    """A server that sends no rate limit headers, which is the default, has no limit."""
    assert AnswerHeaders.of({}).rate is None
    assert RateLimit(10, 10, 0.0).is_scarce(time.monotonic()) is False
