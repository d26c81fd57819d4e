"""i-Reserve's users are stored in the order of the calls."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from models import User
from tasks.outbound.drain import DrainReport
from tests.stage.stage import Stage, drain

pytestmark = pytest.mark.one_database


def _sync(stage: Stage, **more: Any) -> DrainReport:
    arguments = {"user_id": "u1", "email": "Anna@Example.com ", "name": "Anna", **more}
    return drain(stage.runtime, stage.append("user", **arguments))


def _users(stage: Stage) -> list[tuple[str, str, str, str, bool]]:
    with stage.runtime.database.transaction() as session:
        return [
            (user.licence_id, user.user_id, user.email, user.name, user.active)
            for user in session.scalars(select(User).order_by(User.user_id))
        ]


def test_user_is_stored_with_the_address_in_lower_case(stage: Stage) -> None:
    """A user is stored with a lower-case address, and without a delivery."""
    _sync(stage)

    assert _users(stage) == [("L1", "u1", "anna@example.com", "Anna", True)]
    assert stage.ledger() == []


def test_newest_call_wins(stage: Stage) -> None:
    """A later call changes the user."""
    _sync(stage)
    _sync(stage, email="anna@new.example", active=False)

    assert _users(stage) == [("L1", "u1", "anna@new.example", "Anna", False)]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param({"email": "nobody"}, "invalid_arguments", id="no address"),
        pytest.param({"licence_id": "L9"}, "licence_unknown", id="unknown licence"),
    ],
)
def test_wrong_change_is_kept_as_failed(stage: Stage, change: dict[str, Any], reason: str) -> None:
    """A wrong change of a user is in the ledger with its payload."""
    _sync(stage, **change)

    (row,) = stage.ledger()

    assert (row.kind.value, row.state.value, row.reason) == ("user", "failed", reason)
    assert row.payload is not None
    assert _users(stage) == []
