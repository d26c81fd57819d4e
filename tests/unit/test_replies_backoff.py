"""How long a reply waits before the next attempt, and when it is given up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.mattermost import (
    MattermostError,
    NotSentError,
    OutcomeUnknownError,
    RateLimitedError,
    Reason,
    RefusedError,
)
from tasks.replies.backoff import Trouble, pause_s, trouble_of

DAY_S = 86_400.0


@pytest.mark.parametrize(
    ("trouble", "age_s", "attempts", "expected"),
    [
        pytest.param(Trouble.AWAY, 0, 0, 5, id="away at first"),
        pytest.param(Trouble.AWAY, 100, 0, 25, id="away for a while"),
        pytest.param(Trouble.AWAY, 30 * DAY_S, 0, 300, id="away for a month"),
        pytest.param(Trouble.NOT_THERE, 0, 2, 5, id="missing the second time"),
        pytest.param(Trouble.NOT_THERE, 0, 3, None, id="missing the third time"),
        pytest.param(Trouble.FILES, 0, 2, 5, id="file the second time"),
        pytest.param(Trouble.FILES, 0, 3, None, id="file the third time"),
        pytest.param(Trouble.UNLINKED, 40, 0, 10, id="thread not linked yet"),
        pytest.param(Trouble.UNLINKED, 600, 0, None, id="thread not ours"),
        pytest.param(Trouble.REFUSED, 0, 0, 300, id="refused"),
        pytest.param(Trouble.REFUSED, DAY_S, 0, None, id="refused for a day"),
        pytest.param(Trouble.BROKEN, 0, 0, 5, id="broken"),
        pytest.param(Trouble.BROKEN, DAY_S, 0, None, id="broken for a day"),
    ],
)
def test_pause_depends_on_the_trouble(
    trouble: Trouble, age_s: float, attempts: int, expected: float | None
) -> None:
    """A reply waits without limit for a server that is away, and with a limit in other cases."""
    assert pause_s(trouble, age_s=age_s, attempts=attempts) == expected


@given(age_s=st.floats(0, 10 * DAY_S), later_s=st.floats(0, 10 * DAY_S))
def test_pauses_never_shrink_and_stay_within_their_bounds(age_s: float, later_s: float) -> None:
    """Pauses grow from 5 seconds to 5 minutes."""
    first = pause_s(Trouble.AWAY, age_s=age_s, attempts=0)
    second = pause_s(Trouble.AWAY, age_s=age_s + later_s, attempts=0)

    assert first is not None
    assert second is not None
    assert 5 <= first <= second <= 300


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (NotSentError(Reason.UNREACHABLE), Trouble.AWAY),
        (OutcomeUnknownError(Reason.TIMEOUT), Trouble.AWAY),
        (OutcomeUnknownError(Reason.CONNECTION_CUT), Trouble.AWAY),
        (OutcomeUnknownError(Reason.SERVER_ERROR, status=503), Trouble.AWAY),
        (OutcomeUnknownError(Reason.SERVER_ERROR, status=500), Trouble.BROKEN),
        (RateLimitedError(Reason.RATE_LIMITED), Trouble.AWAY),
        (RefusedError(Reason.TOKEN_REJECTED), Trouble.REFUSED),
        (RefusedError(Reason.NOT_A_MEMBER), Trouble.REFUSED),
    ],
    ids=str,
)
def test_error_says_which_trouble_it_is(error: MattermostError, trouble: Trouble) -> None:
    """An error says whether the server or an operator has to fix the cause."""
    assert trouble_of(error) is trouble
