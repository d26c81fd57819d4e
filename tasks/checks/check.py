"""What a check finds: how one thing is, in a sentence, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from tasks.mattermost import MattermostError


class State(StrEnum):
    """How something is.

    ``fail``: messages or replies do not flow as they should. ``warn``: they do, with a
    restriction. ``skip``: it could not be looked at, and the sentence says why.
    """

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, how it is, and the cure (empty where none is needed)."""

    name: str
    state: State
    sentence: str
    cure: str = ""


def passed(name: str, sentence: str) -> Check:
    """Return that all is well."""
    return Check(name, State.OK, sentence)


def warned(name: str, sentence: str, cure: str) -> Check:
    """Return that it works, with a restriction."""
    return Check(name, State.WARN, sentence, cure)


def failed(name: str, sentence: str, cure: str) -> Check:
    """Return that it does not work."""
    return Check(name, State.FAIL, sentence, cure)


def skipped(name: str, why: str, cure: str = "") -> Check:
    """Return that it was not looked at."""
    return Check(name, State.SKIP, f"not checked: {why}", cure)


def refused(name: str, error: MattermostError) -> Check:
    """Return that Mattermost did not do what the check asked for."""
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
    """Return what the check finds; that it cannot ask Mattermost is a finding too."""
    try:
        return check()
    except MattermostError as error:
        return refused(name, error)


def worst(checks: Iterable[Check]) -> State:
    """Return the worst state of all: fail, then warn; what was skipped does not count."""
    states = {check.state for check in checks}
    return next((state for state in (State.FAIL, State.WARN) if state in states), State.OK)
