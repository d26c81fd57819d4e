"""Routes: outgoing webhooks."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, request

from demo.mattermost import errors
from demo.mattermost.entities import Hook
from demo.mattermost.errors import ApiError
from demo.mattermost.exchange import (
    answer,
    backend,
    current_user,
    json_object,
    require_id,
    status_ok,
)
from demo.mattermost.ids import is_id, new_id, now_ms
from demo.mattermost.permissions import may_manage_hooks
from demo.mattermost.shapes import hook_shape

blueprint = Blueprint("hooks", __name__, url_prefix="/hooks/outgoing")

_TEXTS = ("display_name", "description", "content_type", "username", "icon_url")


@blueprint.get("")
def list_hooks() -> Response:
    """Return the hooks of a team or a channel."""
    team_id, channel_id = request.args.get("team_id", ""), request.args.get("channel_id", "")
    channel = backend().state.channels.get(channel_id)
    _require_manager(channel.team_id if channel else team_id)
    return answer(
        [
            hook_shape(hook)
            for hook in backend().state.hooks.values()
            if not hook.delete_at
            and (not team_id or hook.team_id == team_id)
            and (not channel_id or hook.channel_id == channel_id)
        ]
    )


@blueprint.post("")
def create_hook() -> Response:
    """Make a hook; the answer holds its token."""
    user, body = current_user(), json_object("webhook")
    team_id = str(body.get("team_id", ""))
    _require_manager(team_id)
    hook = Hook(
        id=new_id(),
        create_at=now_ms(),
        update_at=now_ms(),
        creator_id=str(body.get("creator_id") or user.id),
        **_fields(body) | {"token": str(body.get("token") or new_id()), "team_id": team_id},
    )
    with backend().state.lock:
        _check(hook)
        backend().state.put(hook)
    return answer(hook_shape(hook), 201)


@blueprint.get("/<hook_id>")
def get_hook(hook_id: str) -> Response:
    """Return one hook."""
    return answer(hook_shape(_managed(hook_id)))


@blueprint.put("/<hook_id>")
def update_hook(hook_id: str) -> Response:
    """Overwrite a whole hook unchecked: a body without the token empties the token."""
    old, body = _managed(hook_id), json_object("webhook")
    if body.get("id") != hook_id:
        raise ApiError(errors.INVALID_BODY_PARAM, name="hook_id")
    fields = _fields(body) | {"team_id": old.team_id}
    with backend().state.lock:
        hook = replace(old, **fields, update_at=now_ms())
        backend().state.put(hook)
    return answer(hook_shape(hook))


@blueprint.post("/<hook_id>/regen_token")
def regenerate_token(hook_id: str) -> Response:
    """Give the hook a new token; the old token becomes invalid at once."""
    with backend().state.lock:
        hook = replace(_managed(hook_id), token=new_id(), update_at=now_ms())
        backend().state.put(hook)
    return answer(hook_shape(hook))


@blueprint.delete("/<hook_id>")
def delete_hook(hook_id: str) -> Response:
    """Delete a hook."""
    with backend().state.lock:
        at = now_ms()
        backend().state.put(replace(_managed(hook_id), delete_at=at, update_at=at))
    return status_ok()


def _fields(body: Mapping[str, Any]) -> dict[str, Any]:
    texts = {name: str(body.get(name) or "") for name in (*_TEXTS, "token", "channel_id")}
    words = body.get("trigger_words")
    return texts | {
        "trigger_words": None if words is None else tuple(words),
        "trigger_when": int(body.get("trigger_when") or 0),
        "callback_urls": tuple(body.get("callback_urls") or ()),
    }


def _require_manager(team_id: str) -> None:
    user = current_user()
    if not backend().options.EnableOutgoingWebhooks:
        raise ApiError(errors.HOOKS_DISABLED)
    if not may_manage_hooks(backend().state, user, team_id):
        raise ApiError(errors.PERMISSIONS)


def _managed(hook_id: str) -> Hook:
    current_user()
    hook = backend().state.hooks.get(require_id(hook_id, "hook_id"))
    if hook is None or hook.delete_at:
        raise ApiError(errors.HOOK_UNKNOWN)
    _require_manager(hook.team_id)
    return hook


def _check(hook: Hook) -> None:
    """Refuse a new hook that the server would refuse.

    The server accepts two hooks of a channel without trigger words, even with the same address.
    """
    if hook.channel_id:
        channel = backend().state.channels.get(hook.channel_id)
        if channel is None or channel.type != "O" or channel.team_id != hook.team_id:
            raise ApiError(errors.HOOK_CHANNEL_NOT_PUBLIC)
    elif not hook.trigger_words:
        raise ApiError(errors.HOOK_TRIGGERS)
    good = all(url.startswith(("http://", "https://")) for url in hook.callback_urls)
    if not hook.callback_urls or not good or not is_id(hook.token):
        raise ApiError(errors.HOOK_CALLBACK)
    if any(_intersects(hook, other) for other in backend().state.hooks.values()):
        raise ApiError(errors.HOOK_INTERSECTS)


def _intersects(hook: Hook, other: Hook) -> bool:
    return (
        not other.delete_at
        and other.channel_id == hook.channel_id
        and not set(other.callback_urls).isdisjoint(hook.callback_urls)
        and not set(other.trigger_words or ()).isdisjoint(hook.trigger_words or ())
    )
