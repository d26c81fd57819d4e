"""The results of checks: the worst state, the limits of clocks, and the cure of each reason."""

from __future__ import annotations

import pytest

from tasks.checks.check import Check, State, attempt, failed, passed, skipped, warned, worst
from tasks.checks.clock import FAIL_S, WARN_S, judge_difference
from tasks.failures import OwnReason
from tasks.mattermost import Reason, RefusedError
from tasks.outbound.resending import cure_of

OK, WARN = passed("a", "s"), warned("b", "s", "c")
FAIL, SKIP = failed("d", "s", "c"), skipped("e", "w")


@pytest.mark.parametrize(
    ("checks", "state"),
    [
        ([], State.OK),
        ([OK, SKIP], State.OK),
        ([OK, WARN, SKIP], State.WARN),
        ([WARN, FAIL, OK], State.FAIL),
    ],
    ids=["nothing", "skipped", "warned", "failed"],
)
def test_worst_state_is_that_of_all(checks: list[Check], state: State) -> None:
    """The total is the worst state, and a skipped check does not count."""
    assert worst(checks) is state


@pytest.mark.parametrize(
    ("seconds", "state"),
    [
        (0, State.OK),
        (WARN_S, State.OK),
        (-WARN_S, State.OK),
        (WARN_S + 1, State.WARN),
        (FAIL_S, State.WARN),
        (-FAIL_S - 1, State.FAIL),
    ],
)
def test_clocks_are_judged_by_how_far_they_are_apart(seconds: float, state: State) -> None:
    """Clocks are judged by their difference, whichever is ahead."""
    assert judge_difference(seconds).state is state


def test_refusal_of_mattermost_is_a_finding_with_its_cure() -> None:
    """A refusal by Mattermost fails the check, with reason, status, error id and cure."""

    def ask() -> Check:
        reason = Reason.TOKEN_REJECTED
        raise RefusedError(reason, method="GET", path="/x", status=401, error_id="a.b")

    check = attempt("bot", ask)

    assert check == Check(
        "bot",
        State.FAIL,
        "the bot token was rejected (token_rejected, HTTP 401, a.b)",
        Reason.TOKEN_REJECTED.cure,
    )


@pytest.mark.parametrize("reason", [*Reason, *OwnReason], ids=lambda reason: str(reason.value))
def test_every_reason_has_its_cure(reason: Reason | OwnReason) -> None:
    """The list of failures shows the cure of each reason that the ledger can hold."""
    assert cure_of(reason.value) == reason.cure


@pytest.mark.parametrize("word", [None, "", "bad_luck"])
def test_unknown_reason_has_no_cure(word: str | None) -> None:
    """A missing reason, or a reason of a later version, has no cure and does not break the list."""
    assert cure_of(word) == ""
