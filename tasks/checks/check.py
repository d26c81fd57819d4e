"""The result of a check: the state of one thing, in a sentence, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from tasks.mattermost import MattermostError


class State(StrEnum):
    """The state that a check has found.

    ``fail``: messages or replies do not arrive as they should. ``warn``: they do, with a
    restriction. ``skip``: the check could not be made, and the sentence says why.
    """

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Check:
    """What was checked, its state, and the cure (empty if none is needed)."""

    name: str
    state: State
    sentence: str
    cure: str = ""


def passed(name: str, sentence: str) -> Check:
    """Return a check that found no fault."""
    return Check(name, State.OK, sentence)


def warned(name: str, sentence: str, cure: str) -> Check:
    """Return a check that found a restriction."""
    return Check(name, State.WARN, sentence, cure)


def failed(name: str, sentence: str, cure: str) -> Check:
    """Return a check that found a fault."""
    return Check(name, State.FAIL, sentence, cure)


def skipped(name: str, why: str, cure: str = "") -> Check:
    """Return a check that was not made."""
    return Check(name, State.SKIP, f"not checked: {why}", cure)


def refused(name: str, error: MattermostError) -> Check:
    """Return a failed check for an error of Mattermost."""
    facts = (
        error.reason.value,
        f"HTTP {error.status}" if error.status else "",
        error.error_id,
        error.detail,
    )
    return failed(
        name,
        f"{error.reason.what} ({', '.join(fact for fact in facts if fact)})",
        error.reason.cure,
    )


def attempt(name: str, check: Callable[[], Check]) -> Check:
    """Return the result of the check; an error of Mattermost becomes a failed check."""
    try:
        return check()
    except MattermostError as error:
        return refused(name, error)


def worst(checks: Iterable[Check]) -> State:
    """Return the worst state of all: fail, then warn, else ok; skipped checks do not count."""
    states = {check.state for check in checks}
    return next((state for state in (State.FAIL, State.WARN) if state in states), State.OK)
