"""Observed behaviour of slash commands: what a command sends, and what its answer does."""

import json
import secrets
from typing import Any

import pytest
import requests
from requests import Response

from tests.contract.receiver import Receiver
from tests.contract.server import ServerUnderTest

FIELDS_OF_6_7 = {
    "channel_id",
    "channel_name",
    "command",
    "response_url",
    "team_domain",
    "team_id",
    "text",
    "token",
    "trigger_id",
    "user_id",
    "user_name",
}


class CommandChannel:
    """A channel with a command in its team."""

    def __init__(self, server: ServerUnderTest, receiver: Receiver) -> None:
        """Make a command that calls the receiver."""
        self.server, self.receiver = server, receiver
        self.trigger = f"klaar{secrets.token_hex(4)}"
        self.made = server.admin.send("/commands", self.body()).json()

    def body(self, **changes: Any) -> dict[str, Any]:
        """Return the body of the request that makes the command."""
        body = {"team_id": self.server.team_id, "method": "P", "url": self.receiver.url}
        return {**body, "trigger": self.trigger, **changes}

    def type(self, text: str, *, root_id: str = "") -> Response:
        """Type a text as Anna."""
        return self.server.anna.send(
            "/commands/execute",
            {"channel_id": self.server.webchat_id, "command": text, "root_id": root_id},
        )

    def run(self, *, root_id: str = "") -> Response:
        """Type the command with two words after it, as Anna."""
        return self.type(f"/{self.trigger} chat 17", root_id=root_id)


@pytest.fixture
def channel(server: ServerUnderTest, receiver: Receiver) -> CommandChannel:
    """A new command for this test."""
    return CommandChannel(server, receiver)


def test_command_sends_a_form_with_its_token(
    channel: CommandChannel, server: ServerUnderTest
) -> None:
    """The form has the user, the text and the place; the token is in a header and a field."""
    answer = channel.run()

    [call] = channel.receiver.calls
    fields = call.fields()
    newer = set() if server.version.startswith("6.") else {"root_id"}
    assert answer.status_code == 200
    assert call.headers["Authorization"] == f"Token {channel.made['token']}"
    assert set(fields) == FIELDS_OF_6_7 | newer
    assert (fields["command"], fields["text"]) == (f"/{channel.trigger}", "chat 17")
    assert (fields["user_id"], fields["token"]) == (server.anna.user_id, channel.made["token"])


def test_thread_of_a_command_is_what_the_client_said(
    server_11: ServerUnderTest, receiver: Receiver
) -> None:
    """The root's id is passed on unchecked, also if no such root exists."""
    channel, unknown = CommandChannel(server_11, receiver), "a" * 26

    for root_id in ("", unknown):
        channel.run(root_id=root_id)

    assert [call.fields()["root_id"] for call in receiver.calls] == ["", unknown]


def test_answer_for_the_channel_is_posted_as_the_one_who_typed(
    channel: CommandChannel, server: ServerUnderTest
) -> None:
    """The post is in the thread, with the props of a webhook's post."""
    root = server.bot.posted(server.webchat_id, "root")
    channel.receiver.answer = json.dumps({"response_type": "in_channel", "text": "done"})

    channel.run(root_id=root["id"])

    thread = server.bot.get(f"/posts/{root['id']}/thread").json()["posts"]
    [post] = [each for each in thread.values() if each["root_id"]]
    assert (post["message"], post["user_id"]) == ("done", server.anna.user_id)
    assert post["props"]["from_webhook"] == "true"


@pytest.mark.parametrize("kind", ["ephemeral", "", "comment"])
def test_answer_for_one_person_is_stored_nowhere(
    kind: str, channel: CommandChannel, server: ServerUnderTest
) -> None:
    """The client gets the answer's text, and the thread has no post of it."""
    root = server.bot.posted(server.webchat_id, "root")
    channel.receiver.answer = json.dumps({"response_type": kind, "text": "only you"})

    answer = channel.run(root_id=root["id"])

    thread = server.bot.get(f"/posts/{root['id']}/thread").json()["posts"]
    assert (answer.status_code, answer.json()["text"], len(thread)) == (200, "only you", 1)


@pytest.mark.parametrize(
    ("text", "status", "error"),
    [
        ("/nonsenseword", 404, "api.command.execute_command.not_found.app_error"),
        ("// intern", 404, "api.command.execute_command.not_found.app_error"),
        ("/", 400, "api.command.execute_command.start.app_error"),
        ("klaar", 400, "api.command.execute_command.start.app_error"),
    ],
)
def test_what_is_no_command_is_refused(
    text: str, status: int, error: str, channel: CommandChannel
) -> None:
    """An unknown command gets 404, and a text without a command gets 400."""
    answer = channel.type(text)

    assert (answer.status_code, answer.json()["id"]) == (status, error)


@pytest.mark.parametrize(
    ("status", "answer", "error"),
    [
        (500, "{}", "api.command.execute_command.failed_resp.app_error"),
        (200, "broken", "api.command.execute_command.failed.app_error"),
        (200, "", "api.command.execute_command.failed.app_error"),
    ],
)
def test_bad_answer_is_an_error_to_the_one_who_typed(
    status: int, answer: str, error: str, channel: CommandChannel
) -> None:
    """Another status and broken JSON each have their own error id."""
    channel.receiver.status, channel.receiver.answer = status, answer

    result = channel.run()

    assert (result.status_code, result.json()["id"]) == (500, error)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({}, "api.command.duplicate_trigger.app_error"),
        ({"trigger": "/slash"}, "model.command.is_valid.trigger.app_error"),
        ({"trigger": "x" * 129}, "model.command.is_valid.trigger.app_error"),
    ],
    ids=["taken", "slash", "long"],
)
def test_trigger_that_cannot_be_is_refused(
    changes: dict[str, Any], error: str, channel: CommandChannel, server: ServerUnderTest
) -> None:
    """A trigger must be new, short and without a slash."""
    answer = server.admin.send("/commands", channel.body(**changes))

    assert (answer.status_code, answer.json()["id"]) == (400, error)


def test_later_answers_come_by_their_own_address(
    channel: CommandChannel, server: ServerUnderTest
) -> None:
    """Five answers are taken without a token, and the sixth is refused."""
    root = server.bot.posted(server.webchat_id, "root")
    channel.run(root_id=root["id"])
    path = channel.receiver.calls[0].fields()["response_url"].partition("/hooks/")[2]
    body = {"response_type": "in_channel", "text": "later"}

    # The address in the call may differ from the address that the tests use.
    url = f"{server.bot.url}/hooks/{path}"
    answers = [requests.post(url, json=body, timeout=10) for _ in range(6)]

    thread = server.bot.get(f"/posts/{root['id']}/thread").json()["posts"]
    assert [answer.status_code for answer in answers] == [200] * 5 + [400]
    is_old = server.version.startswith("6.")
    assert answers[5].json()["id"] == (
        "app.command_webhook.try_use.invalid" if is_old else "web.command_webhook.general.app_error"
    )
    assert len(thread) == 1 + 5


def test_bot_may_not_make_commands(channel: CommandChannel, server: ServerUnderTest) -> None:
    """A bot gets 403, since it does not manage the team."""
    assert server.bot.send("/commands", channel.body(trigger="mine")).status_code == 403
