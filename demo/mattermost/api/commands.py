"""Routes: slash commands, and the address for later answers to them."""

from typing import Any

from flask import Blueprint, Response, request

from demo.mattermost import errors
from demo.mattermost.commands import execute, respond_later
from demo.mattermost.entities import Command
from demo.mattermost.errors import ApiError
from demo.mattermost.exchange import (
    answer,
    backend,
    current_user,
    json_object,
    require_admin,
    require_id,
    status_ok,
)
from demo.mattermost.ids import new_id, now_ms
from demo.mattermost.permissions import may_post
from demo.mattermost.shapes import command_shape

blueprint = Blueprint("commands", __name__, url_prefix="/commands")
responses = Blueprint("responses", __name__, url_prefix="/hooks/commands")

MAX_TRIGGER_LENGTH = 128


@blueprint.post("")
def create() -> Response:
    """Make a command; the answer holds its token."""
    admin, body = require_admin(), json_object("command")
    state, trigger = backend().state, str(body.get("trigger", "")).lower()
    is_word = not trigger.startswith("/") and " " not in trigger
    if not is_word or not 0 < len(trigger) <= MAX_TRIGGER_LENGTH:
        raise ApiError(errors.COMMAND_TRIGGER)
    team_id, now = str(body.get("team_id", "")), now_ms()
    known = [c for c in state.commands.values() if not c.delete_at and c.team_id == team_id]
    if any(command.trigger == trigger for command in known):
        raise ApiError(errors.COMMAND_TRIGGER_TAKEN)
    command = Command(
        id=new_id(),
        token=new_id(),
        create_at=now,
        update_at=now,
        creator_id=admin.id,
        team_id=team_id,
        trigger=trigger,
        url=str(body.get("url") or ""),
    )
    with state.lock:
        state.put(command)
    return answer(command_shape(command), 201)


@blueprint.post("/execute")
def execute_command() -> Response:
    """Run a slash command as the caller."""
    user, body = current_user(), json_object("command_args")
    channel = backend().state.channels.get(str(body.get("channel_id", "")))
    if channel is None or not may_post(backend().state, user, channel):
        raise ApiError(errors.PERMISSIONS)
    root_id = str(body.get("root_id") or "")
    told = execute(backend(), user, channel, str(body.get("command", "")), root_id=root_id)
    return answer(told)


@responses.post("/<response_id>")
def respond(response_id: str) -> Response:
    """Take a later answer to a command; the address alone is the proof."""
    body: Any = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        raise ApiError(errors.INVALID_BODY_PARAM, name="command_response")
    respond_later(backend(), require_id(response_id, "id"), body)
    return status_ok()
