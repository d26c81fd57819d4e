"""Observed behaviour of buttons: what a click sends, what is hidden, what an answer does."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests
from requests import Response

from tests.contract.receiver import Receiver
from tests.contract.server import ServerUnderTest

CONTEXT = {"action": "take", "signature": "secret"}


def card(url: str, *, action_id: str = "take") -> dict[str, Any]:
    """Return props with one button."""
    target = {"url": url, "context": CONTEXT}
    button = {"id": action_id, "type": "button", "name": "Take", "integration": target}
    return {"attachments": [{"text": "Waiting", "actions": [button]}], "ireserve": "ours"}


def click(server: ServerUnderTest, post_id: str, action_id: str = "take") -> Response:
    """Click the button as Anna."""
    return server.anna.send(f"/posts/{post_id}/actions/{action_id}", {})


@pytest.fixture
def post(server: ServerUnderTest, receiver: Receiver) -> dict[str, Any]:
    """The bot's post with a button that calls the receiver."""
    return server.bot.posted(server.webchat_id, "question", props=card(receiver.url))


def test_click_calls_the_address_with_its_context(
    server: ServerUnderTest, receiver: Receiver, post: dict[str, Any]
) -> None:
    """The call has the user, the place and the context as it was sent, but no root and no token."""
    answer = click(server, post["id"])

    [call] = receiver.calls
    fields = json.loads(call.body)
    del fields["trigger_id"]
    assert answer.status_code == 200
    assert "Authorization" not in call.headers
    assert call.headers["User-Agent"] == "Mattermost-Bot/1.1"
    assert fields == {
        "user_id": server.anna.user_id,
        "user_name": server.anna.username,
        "channel_id": server.webchat_id,
        "channel_name": server.webchat_name,
        "team_id": server.team_id,
        "team_domain": server.team_name,
        "post_id": post["id"],
        "type": "button",
        "data_source": "",
        "context": CONTEXT,
    }


def test_target_of_a_button_is_not_shown(server: ServerUnderTest, post: dict[str, Any]) -> None:
    """Neither the post's author nor a reader gets the address back."""
    read = server.bot.get(f"/posts/{post['id']}").json()

    buttons = [each["props"]["attachments"][0]["actions"][0] for each in (post, read)]
    assert ["integration" in button for button in buttons] == [False, False]
    assert [button["name"] for button in buttons] == ["Take", "Take"]


def test_card_that_was_read_and_written_back_has_dead_buttons(
    server: ServerUnderTest, receiver: Receiver, post: dict[str, Any]
) -> None:
    """A button that was read and written back calls no address."""
    read = server.bot.get(f"/posts/{post['id']}").json()
    server.bot.patch(post["id"], props=read["props"])

    dead = click(server, post["id"])

    error = "api.post.do_action.action_id.app_error"
    assert (dead.status_code, dead.json()["id"], receiver.calls) == (404, error, [])


def test_dead_button_is_revived_only_by_newer_servers(
    server: ServerUnderTest, receiver: Receiver, post: dict[str, Any]
) -> None:
    """11.6.0 accepts the button with its target again; 6.7.2 then cuts the connection."""
    read = server.bot.get(f"/posts/{post['id']}").json()
    server.bot.patch(post["id"], props=read["props"])

    revived = status_of(lambda: server.bot.patch(post["id"], props=card(receiver.url)))

    clicked = click(server, post["id"]).status_code
    is_old = server.version.startswith("6.")
    assert (revived, clicked) == ((None, 404) if is_old else (200, 200))


def test_card_that_is_written_whole_keeps_working(
    server: ServerUnderTest, receiver: Receiver, post: dict[str, Any]
) -> None:
    """An edit that names the button's target again keeps the button working."""
    for _ in range(2):
        server.bot.patch(post["id"], props=card(receiver.url))

    assert (click(server, post["id"]).status_code, len(receiver.calls)) == (200, 1)


def status_of(call: Callable[[], Response]) -> int | None:
    """Return the status of the answer, None if the connection was cut."""
    try:
        return call().status_code
    except requests.ConnectionError:
        return None


@pytest.mark.parametrize("action_id", ["take-it", "take_it"])
def test_button_with_a_sign_in_its_id_is_taken_and_dead(
    action_id: str, server: ServerUnderTest, receiver: Receiver
) -> None:
    """An id may have only letters and digits; the post is made, but its button does not work."""
    props = card(receiver.url, action_id=action_id)
    made = server.bot.posted(server.webchat_id, props=props)

    answer = click(server, made["id"], action_id)

    assert (answer.status_code, answer.json()["id"]) == (404, "api.context.404.app_error")
    assert receiver.calls == []


@pytest.mark.parametrize(
    ("status", "answer", "clicked"),
    [
        (200, "", 200),
        (200, "{}", 200),
        (200, "null", 200),
        (200, '{"ephemeral_text": "only you"}', 200),
        (200, "not json", 400),
        (200, '{"ephemeral_text": 7}', 400),
        (201, "{}", 400),
        (500, "{}", 400),
    ],
)
def test_answer_decides_what_the_clicker_sees(
    status: int,
    answer: str,
    clicked: int,
    server: ServerUnderTest,
    receiver: Receiver,
    post: dict[str, Any],
) -> None:
    """The user gets an error unless the answer is 200 with JSON or no body; the post stays."""
    receiver.status, receiver.answer = status, answer

    result = click(server, post["id"])

    after = server.bot.get(f"/posts/{post['id']}").json()
    assert result.status_code == clicked
    assert (after["message"], after["edit_at"]) == ("question", 0)


def test_update_replaces_message_and_props_whole(
    server: ServerUnderTest, receiver: Receiver, post: dict[str, Any]
) -> None:
    """An update without a message empties the message, and the new props replace all old ones."""
    receiver.answer = json.dumps({"update": {"props": {"ireserve": "new"}}})

    click(server, post["id"])

    after = server.bot.get(f"/posts/{post['id']}").json()
    assert (after["message"], after["props"]) == ("", {"ireserve": "new"})
    assert after["edit_at"] > 0


def test_update_of_the_message_keeps_the_buttons(
    server: ServerUnderTest, receiver: Receiver, post: dict[str, Any]
) -> None:
    """The message is new, and the button still works."""
    receiver.answer = json.dumps({"update": {"message": "taken"}})
    click(server, post["id"])

    again = click(server, post["id"])

    after = server.bot.get(f"/posts/{post['id']}").json()
    assert (after["message"], again.status_code, len(receiver.calls)) == ("taken", 200, 2)
    assert after["props"]["ireserve"] == "ours"


def test_button_of_a_deleted_post_is_gone(server: ServerUnderTest, post: dict[str, Any]) -> None:
    """The 404 is about the post, not the button."""
    server.bot.delete(f"/posts/{post['id']}")

    answer = click(server, post["id"])

    assert (answer.status_code, answer.json()["id"]) == (404, "app.post.get.app_error")


def test_stranger_to_a_private_channel_cannot_click(
    server: ServerUnderTest, receiver: Receiver
) -> None:
    """Only users who may read the post may click."""
    made = server.bot.posted(server.private_id, props=card(receiver.url))
    outsider, _ = server.new_bot()

    refused = outsider.send(f"/posts/{made['id']}/actions/take", {})
    inside = click(server, made["id"])

    assert (refused.status_code, inside.status_code) == (403, 200)
