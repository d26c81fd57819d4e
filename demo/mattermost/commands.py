"""Run slash commands: call the command's address, and do what the answer says."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from demo.mattermost import errors
from demo.mattermost.attachments import with_full_attachments
from demo.mattermost.backend import Backend
from demo.mattermost.calls import Answer, CallError, call
from demo.mattermost.drafts import Draft
from demo.mattermost.entities import Channel, Command, User
from demo.mattermost.errors import ApiError
from demo.mattermost.ids import is_id, new_id
from demo.mattermost.posting import post_as

# How many later answers an address takes, and for how long.
MAX_LATER_ANSWERS = 5
LATER_ANSWERS_FOR_S = 30 * 60


@dataclass(frozen=True, slots=True)
class Place:
    """The user who typed a command, and where; the client's root id is not checked."""

    user: User
    channel: Channel
    root_id: str


def execute(
    backend: Backend, user: User, channel: Channel, text: str, *, root_id: str
) -> Mapping[str, Any]:
    """Run a command; return the answer to the client.

    Raises:
        ApiError: the command is unknown, or the server cannot use its answer.
    """
    trigger, _, words = text.removeprefix("/").partition(" ")
    if not text.startswith("/") or not trigger:
        raise ApiError(errors.COMMAND_START)
    if root_id and not is_id(root_id):
        raise ApiError(errors.COMMAND_FAILED)
    command = _find(backend, channel, trigger.lower())
    place = Place(user, channel, root_id)
    answer = _parsed(_call(backend, command, place, words))
    _do(backend, place, answer, failure=errors.COMMAND_FAILED_POST)
    return {
        "response_type": answer.get("response_type") or "ephemeral",
        "text": str(answer.get("text") or ""),
        "trigger_id": "",
    }


def respond_later(backend: Backend, response_id: str, answer: Mapping[str, Any]) -> None:
    """Do what a later answer at the response address says.

    Raises:
        ApiError: 404 for an unknown or expired address, 400 for the sixth answer.
    """
    found = backend.later_answers.use(response_id)
    if found is None:
        raise ApiError(errors.RESPONSE_URL_UNKNOWN)
    place, uses = found
    if uses > MAX_LATER_ANSWERS:
        raise ApiError(errors.RESPONSE_URL_USED_UP)
    _do(backend, place, answer, failure=errors.RESPONSE_URL_USED_UP)


def _find(backend: Backend, channel: Channel, trigger: str) -> Command:
    for command in backend.state.commands.values():
        if (command.team_id, command.trigger) == (channel.team_id, trigger):
            return command
    raise ApiError(errors.COMMAND_UNKNOWN)


def _call(backend: Backend, command: Command, place: Place, words: str) -> Answer:
    headers = {
        "User-Agent": "Mattermost-Bot/1.1",
        "Accept": "application/json",
        "Authorization": f"Token {command.token}",
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept-Encoding": "gzip",
    }
    body = urlencode(sorted(_fields(backend, command, place, words).items())).encode()
    timeout_s = float(backend.options.OutgoingIntegrationRequestsTimeout)
    try:
        return call(command.url, headers=headers, body=body, timeout_s=timeout_s)
    except CallError:
        raise ApiError(errors.COMMAND_FAILED) from None


def _fields(backend: Backend, command: Command, place: Place, words: str) -> dict[str, str]:
    response_id = backend.later_answers.begin(place, for_s=LATER_ANSWERS_FOR_S)
    fields = {
        "token": command.token,
        "team_id": place.channel.team_id,
        "team_domain": backend.state.teams[place.channel.team_id].name,
        "channel_id": place.channel.id,
        "channel_name": place.channel.name,
        "user_id": place.user.id,
        "user_name": place.user.username,
        "command": f"/{command.trigger}",
        "text": words,
        "trigger_id": new_id(),
        "response_url": f"{backend.options.SiteURL}/hooks/commands/{response_id}",
    }
    if backend.options.version.commands_know_their_thread:
        fields["root_id"] = place.root_id
    return fields


def _parsed(got: Answer) -> Mapping[str, Any]:
    if got.status != 200:
        raise ApiError(errors.COMMAND_FAILED_STATUS)
    if got.content_type.startswith("text/plain"):
        return {"text": got.body.decode(errors="replace")}
    try:
        value = json.loads(got.body)
    except ValueError:
        raise ApiError(errors.COMMAND_FAILED) from None
    if not isinstance(value, dict):
        raise ApiError(errors.COMMAND_FAILED)
    return value


def _do(
    backend: Backend, place: Place, answer: Mapping[str, Any], *, failure: errors.Refusal
) -> None:
    """Post an answer for the channel as the user who typed; show any other to that user only."""
    text = str(answer.get("text") or "")
    if answer.get("response_type") != "in_channel":
        if text:
            backend.tell_privately(place.user, channel_id=place.channel.id, text=text)
        return
    props = dict(answer["props"]) if isinstance(answer.get("props"), dict) else {}
    if isinstance(answer.get("attachments"), list):
        props["attachments"] = answer["attachments"]
    draft = Draft(
        channel_id=place.channel.id,
        message=text,
        root_id=place.root_id,
        props=with_full_attachments(props | {"from_webhook": "true"}),
    )
    try:
        post_as(backend, place.user, draft)
    except ApiError:
        raise ApiError(failure) from None
