"""What a bot is told of members: by name, of its channel, and of its team."""

import secrets

import pytest

from tests.contract.server import ServerUnderTest


def test_user_is_found_by_name_and_an_unknown_one_is_not(server: ServerUnderTest) -> None:
    """The refusal has an id of its own."""
    known = server.bot.get(f"/users/username/{server.anna.username}")
    unknown = server.bot.get("/users/username/no.such-user_9")

    assert (known.status_code, known.json()["id"]) == (200, server.anna.user_id)
    assert unknown.status_code == 404
    assert unknown.json()["id"] == "app.user.get_by_username.app_error"


@pytest.mark.parametrize(("is_member", "status"), [(True, 200), (False, 404)])
def test_bot_sees_who_is_in_its_channel(
    is_member: bool, status: int, server: ServerUnderTest
) -> None:
    """A member with what they are told of it, another not at all."""
    channel_id = server.new_channel(with_anna=is_member)

    answer = server.bot.get(f"/channels/{channel_id}/members/{server.anna.user_id}")

    assert answer.status_code == status
    if is_member:
        assert answer.json()["notify_props"]["desktop"] == "default"
    else:
        assert answer.json()["id"] == "app.channel.get_member.missing.app_error"


def test_bot_outside_a_channel_does_not_see_who_is_in_it(server: ServerUnderTest) -> None:
    """Not even of a public channel of its team."""
    answer = server.bot.get(f"/channels/{server.elsewhere_id}/members/{server.anna.user_id}")

    assert (answer.status_code, answer.json()["id"]) == (403, "api.context.permissions.app_error")


def person(server: ServerUnderTest) -> str:
    """The id of one more person, who is in no team."""
    name = f"person{secrets.token_hex(4)}"
    body = {"username": name, "email": f"{name}@example.com", "password": "Password-1-for-tests"}
    user_id: str = server.admin.send("/users", body).json()["id"]
    return user_id


def test_bot_sees_who_is_in_its_team(server: ServerUnderTest) -> None:
    """A member with the keys that every version has; another person is not found."""
    path = f"/teams/{server.team_id}/members"

    inside = server.bot.get(f"{path}/{server.anna.user_id}")
    outside = server.bot.get(f"{path}/{person(server)}")

    expected = {"team_id": server.team_id, "user_id": server.anna.user_id, "delete_at": 0}
    assert inside.json().items() >= expected.items()
    assert outside.status_code == 404
    assert outside.json()["id"] == "app.team.get_member.missing.app_error"


def test_member_who_left_a_team_keeps_a_place_that_is_over(server: ServerUnderTest) -> None:
    """The place has a time of deletion, so that being found is not enough."""
    user_id, path = person(server), f"/teams/{server.team_id}/members"
    joining = {"team_id": server.team_id, "user_id": user_id}
    server.admin.send(path, joining)
    server.admin.delete(f"{path}/{user_id}")

    left = server.bot.get(f"{path}/{user_id}")
    server.admin.send(path, joining)
    back = server.bot.get(f"{path}/{user_id}")

    assert (left.status_code, left.json()["delete_at"] > 0) == (200, True)
    assert back.json()["delete_at"] == 0
