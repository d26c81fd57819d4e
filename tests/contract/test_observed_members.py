"""Observed behaviour of members: what a bot learns by name, of its channel, and of its team."""

import secrets

import pytest

from tests.contract.server import ServerUnderTest


def test_user_is_found_by_name_and_an_unknown_one_is_not(server: ServerUnderTest) -> None:
    """An unknown name gets 404 with its own error id."""
    known = server.bot.get(f"/users/username/{server.anna.username}")
    unknown = server.bot.get("/users/username/no.such-user_9")

    assert (known.status_code, known.json()["id"]) == (200, server.anna.user_id)
    assert unknown.status_code == 404
    assert unknown.json()["id"] == "app.user.get_by_username.app_error"


@pytest.mark.parametrize(("is_member", "status"), [(True, 200), (False, 404)])
def test_bot_sees_who_is_in_its_channel(
    is_member: bool, status: int, server: ServerUnderTest
) -> None:
    """The bot gets a member with the notification settings, and 404 for another user."""
    channel_id = server.new_channel(with_anna=is_member)

    answer = server.bot.get(f"/channels/{channel_id}/members/{server.anna.user_id}")

    assert answer.status_code == status
    if is_member:
        assert answer.json()["notify_props"]["desktop"] == "default"
    else:
        assert answer.json()["id"] == "app.channel.get_member.missing.app_error"


def test_bot_outside_a_channel_does_not_see_who_is_in_it(server: ServerUnderTest) -> None:
    """The bot gets 403 even for a public channel of its team."""
    answer = server.bot.get(f"/channels/{server.elsewhere_id}/members/{server.anna.user_id}")

    assert (answer.status_code, answer.json()["id"]) == (403, "api.context.permissions.app_error")


def person(server: ServerUnderTest) -> str:
    """Make a user who is in no team; return the user's id."""
    name = f"person{secrets.token_hex(4)}"
    body = {"username": name, "email": f"{name}@example.com", "password": "Password-1-for-tests"}
    user_id: str = server.admin.send("/users", body).json()["id"]
    return user_id


def test_bot_sees_who_is_in_its_team(server: ServerUnderTest) -> None:
    """A member has the keys that every version has, and another user gets 404."""
    path = f"/teams/{server.team_id}/members"

    inside = server.bot.get(f"{path}/{server.anna.user_id}")
    outside = server.bot.get(f"{path}/{person(server)}")

    expected = {"team_id": server.team_id, "user_id": server.anna.user_id, "delete_at": 0}
    assert inside.json().items() >= expected.items()
    assert outside.status_code == 404
    assert outside.json()["id"] == "app.team.get_member.missing.app_error"


def test_former_member_is_still_found(server: ServerUnderTest) -> None:
    """A former member is still found, with a time of deletion, so a 200 proves no membership."""
    user_id, path = person(server), f"/teams/{server.team_id}/members"
    joining = {"team_id": server.team_id, "user_id": user_id}
    server.admin.send(path, joining)
    server.admin.delete(f"{path}/{user_id}")

    left = server.bot.get(f"{path}/{user_id}")
    server.admin.send(path, joining)
    back = server.bot.get(f"{path}/{user_id}")

    assert (left.status_code, left.json()["delete_at"] > 0) == (200, True)
    assert back.json()["delete_at"] == 0
