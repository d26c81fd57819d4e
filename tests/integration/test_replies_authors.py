"""A reply's author is the i-Reserve user with the member's e-mail address, else only a name."""

from __future__ import annotations

from typing import Any

import pytest

from models import Reply
from tasks.mattermost import MattermostClient
from tests.stage.stage import CHANNEL, TEAM
from tests.stage.thread import MirroredThread

EMAIL = "eva.jansen@example.com"


def _reply_by(thread: MirroredThread, **person: Any) -> Reply:
    user = {"username": "eva", "email": EMAIL, "channels": [f"{TEAM}/{CHANNEL}"], **person}
    token = thread.stage.stand_in.setup({"users": [user]})["users"]["eva"]["token"]
    client = MattermostClient(thread.stage.stand_in.url, token)
    return thread.recorded(thread.say("hello", client=client))


def _author(row: Reply) -> tuple[str | None, str | None]:
    return row.author_user_id, row.author_name


def test_user_with_the_members_address_is_the_author(thread: MirroredThread) -> None:
    """The i-Reserve user with the member's address is the author, under the name in i-Reserve."""
    thread.add_user(EMAIL)

    assert _author(_reply_by(thread)) == ("u1", "A. User")


def test_address_is_compared_without_regard_to_capitals(thread: MirroredThread) -> None:
    """Addresses are compared without regard to case."""
    thread.add_user(EMAIL)

    assert _author(_reply_by(thread, email="Eva.Jansen@Example.com")) == ("u1", "A. User")


@pytest.mark.parametrize(
    "email",
    [
        "jansen@example.com",
        "eva.jansen@example.co",
        "eva.jansen@example.com.evil.org",
        "eva_jansen@example.com",
    ],
)
def test_part_of_an_address_is_no_match(thread: MirroredThread, email: str) -> None:
    """Only the whole address matches, without wildcards."""
    thread.add_user(email)

    assert _author(_reply_by(thread)) == (None, "eva")


def test_deactivated_user_is_no_match(thread: MirroredThread) -> None:
    """A deactivated user of i-Reserve is not the author."""
    thread.add_user(EMAIL, active=False)

    assert _author(_reply_by(thread)) == (None, "eva")


def test_two_users_with_one_address_are_no_match(thread: MirroredThread) -> None:
    """Two users with one address are no match, since a guess could be wrong."""
    thread.add_user(EMAIL)
    thread.add_user(EMAIL, user_id="u2")

    assert _author(_reply_by(thread)) == (None, "eva")


def test_hidden_address_is_no_match(thread: MirroredThread) -> None:
    """A hidden address matches no user, not even one without an address."""
    thread.add_user("")
    thread.stage.stand_in.set_options(ShowEmailAddress=False)

    assert _author(_reply_by(thread)) == (None, "eva")


def test_unknown_member_goes_by_the_full_name(thread: MirroredThread) -> None:
    """For a member without an i-Reserve user, the author is the full name."""
    assert _author(_reply_by(thread, first_name="Eva", last_name="Jansen")) == (None, "Eva Jansen")


def test_author_is_asked_for_once_in_a_while(thread: MirroredThread) -> None:
    """Several replies of one member cause one request for the member."""
    row = _reply_by(thread)
    thread.recorded(thread.say("again"))
    thread.recorded(thread.say("and again"))

    other = thread.stage.member().get_me().id
    asked = [thread.asked(f"/users/{user_id}") for user_id in (row.author_mattermost_id, other)]
    assert asked == [1, 1]
