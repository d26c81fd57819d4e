"""A worker keeps a licence for seconds, and reads it again after a message, not before one."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from sqlalchemy import text

from tasks.failures import SendFailedError
from tasks.licences import access
from tests.stage.database_cost import counted
from tests.stage.stage import LICENCE, VISITOR, Stage, drain


def _execute(stage: Stage, statement: str) -> None:
    with stage.runtime.database.connection() as connection:
        connection.execute(text(statement))


def _change(stage: Stage) -> None:
    _execute(stage, "UPDATE licences SET mention = '@anna'")


def _disable(stage: Stage) -> None:
    _execute(stage, "UPDATE licences SET enabled = false")


def _break(stage: Stage) -> None:
    _execute(stage, "ALTER TABLE licences RENAME TO elsewhere")


def test_licence_is_read_again_after_the_message(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a licence is soon to be read again, that follows the message's last statement."""
    stage.start()
    monkeypatch.setattr(access, "RENEW_S", 0.0)
    lane = stage.append("reply", conversation_id="c1", message_id="1", text="Hello", **VISITOR)

    with counted(stage.runtime.database) as cost:
        drain(stage.runtime, lane)

    assert "FROM licences" in cost.statements[-1]
    assert sum("FROM licences" in statement for statement in cost.statements) == 1


def test_licence_that_was_just_read_is_kept(stage: Stage) -> None:
    """Neither a message nor a renewal reads a licence again that was read a moment ago."""
    stage.start()
    lane = stage.append("reply", conversation_id="c1", message_id="1", text="Hello", **VISITOR)

    with counted(stage.runtime.database) as cost:
        drain(stage.runtime, lane)

    assert [statement for statement in cost.statements if "FROM licences" in statement] == []


@pytest.mark.parametrize(
    ("event", "mention"), [(_change, "@anna"), (_disable, ""), (_break, "")], ids=lambda value: (
        value.__name__.strip("_") if callable(value) else value
    ),
)  # fmt: skip
def test_renewal_takes_up_a_change_and_never_fails(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, event: Callable[[Stage], None], mention: str
) -> None:
    """After a renewal the licence is the changed one, or the one before if it cannot be read."""
    monkeypatch.setattr(access, "RENEW_S", 0.0)
    licences = stage.runtime.licences
    licences.access(LICENCE)
    event(stage)

    licences.renew(LICENCE)

    assert licences.access(LICENCE).mention == mention


def test_disabled_licence_is_not_kept_by_renewals(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Renewals of a disabled licence do not extend the time for which the worker uses it."""
    monkeypatch.setattr(access, "RENEW_S", 0.0)
    monkeypatch.setattr(access, "CACHE_S", 0.5)
    licences = stage.runtime.licences
    licences.access(LICENCE)
    _disable(stage)
    time.sleep(0.4)
    licences.renew(LICENCE)
    time.sleep(0.2)

    with pytest.raises(SendFailedError):
        licences.access(LICENCE)
