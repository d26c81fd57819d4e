"""Whose reply it is: a user of i-Reserve by the whole e-mail address, else a name."""

from __future__ import annotations

from typing import Any

import pytest

from models import Reply
from tasks.mattermost import MattermostClient
from tests.integration.conftest import CHANNEL, TEAM, Office
from tests.integration.desk import Desk

EMAIL = "eva.jansen@example.com"


@pytest.fixture
def desk(office: Office) -> Desk:
    """A conversation with its thread."""
    return Desk.open(office)


def _reply_by(desk: Desk, **person: Any) -> Reply:
    user = {"username": "eva", "email": EMAIL, "channels": [f"{TEAM}/{CHANNEL}"], **person}
    token = desk.office.stand_in.setup({"users": [user]})["users"]["eva"]["token"]
    client = MattermostClient(desk.office.stand_in.url, token)
    return desk.recorded(desk.say("hello", client=client))


def _author(row: Reply) -> tuple[str | None, str | None]:
    return row.author_user_id, row.author_name


def test_user_with_the_members_address_is_the_author(desk: Desk) -> None:
    """The reply is that user's, under the name that i-Reserve knows."""
    desk.add_user(EMAIL)

    assert _author(_reply_by(desk)) == ("u1", "A. User")


def test_address_is_compared_without_regard_to_capitals(desk: Desk) -> None:
    """Mattermost may show the address as the member typed it."""
    desk.add_user(EMAIL)

    assert _author(_reply_by(desk, email="Eva.Jansen@Example.com")) == ("u1", "A. User")


@pytest.mark.parametrize(
    "email",
    [
        "jansen@example.com",
        "eva.jansen@example.co",
        "eva.jansen@example.com.evil.org",
        "eva_jansen@example.com",
    ],
)
def test_part_of_an_address_is_no_match(desk: Desk, email: str) -> None:
    """Only the whole address counts, and no character stands for another."""
    desk.add_user(email)

    assert _author(_reply_by(desk)) == (None, "eva")


def test_deactivated_user_is_no_match(desk: Desk) -> None:
    """Who left does not answer visitors."""
    desk.add_user(EMAIL, active=False)

    assert _author(_reply_by(desk)) == (None, "eva")


def test_two_users_with_one_address_are_no_match(desk: Desk) -> None:
    """A guess could show the visitor the wrong name."""
    desk.add_user(EMAIL)
    desk.add_user(EMAIL, user_id="u2")

    assert _author(_reply_by(desk)) == (None, "eva")


def test_hidden_address_is_no_match(desk: Desk) -> None:
    """A server that hides addresses leaves the name; a user without one is not meant."""
    desk.add_user("")
    desk.office.stand_in.set_options(ShowEmailAddress=False)

    assert _author(_reply_by(desk)) == (None, "eva")


def test_unknown_member_goes_by_the_full_name(desk: Desk) -> None:
    """First and last name stand before the handle."""
    assert _author(_reply_by(desk, first_name="Eva", last_name="Jansen")) == (None, "Eva Jansen")


def test_author_is_asked_for_once_in_a_while(desk: Desk) -> None:
    """Two replies of one member cost one question."""
    row = _reply_by(desk)
    desk.recorded(desk.say("again"))
    desk.recorded(desk.say("and again"))

    other = desk.office.member().get_me().id
    asked = [desk.asked(f"/users/{user_id}") for user_id in (row.author_mattermost_id, other)]
    assert asked == [1, 1]
