"""Call a button's address after a click, and change the post as the answer says."""

import json
from collections.abc import Mapping
from typing import Any

from demo.mattermost import errors
from demo.mattermost.attachments import with_full_attachments
from demo.mattermost.backend import Backend
from demo.mattermost.calls import MAX_ANSWER_BYTES, Answer, CallError, call
from demo.mattermost.drafts import Patch
from demo.mattermost.editing import change_post
from demo.mattermost.entities import Post, User
from demo.mattermost.errors import ApiError
from demo.mattermost.ids import new_id
from demo.mattermost.posting import check_message

_HEADERS = {
    "User-Agent": "Mattermost-Bot/1.1",
    "Accept": "application/json",
    "Content-Type": "application/json",
    "Accept-Encoding": "gzip",
}
# An update cannot change or add these props.
_KEPT_PROPS = ("override_username", "override_icon_url", "from_webhook")


def click(backend: Backend, user: User, post: Post, action: Mapping[str, Any]) -> None:
    """Call the button's address once, and change the post as the answer says.

    Raises:
        ApiError: 400 if there is no answer, a status other than 200, or no valid JSON.
    """
    body = json.dumps(_payload(backend, user, post, action), sort_keys=True).encode()
    timeout_s = float(backend.options.OutgoingIntegrationRequestsTimeout)
    url = str(action["integration"].get("url", ""))
    try:
        got = call(url, headers=_HEADERS, body=body, timeout_s=timeout_s)
    except CallError:
        raise ApiError(errors.ACTION_FAILED) from None
    answer = _parsed(got)
    _update(backend, post, answer.get("update"))
    if answer.get("ephemeral_text"):
        backend.tell_privately(user, channel_id=post.channel_id, text=answer["ephemeral_text"])


def _payload(backend: Backend, user: User, post: Post, action: Mapping[str, Any]) -> dict[str, Any]:
    channel = backend.state.channels[post.channel_id]
    return {
        "user_id": user.id,
        "user_name": user.username,
        "channel_id": channel.id,
        "channel_name": channel.name,
        "team_id": channel.team_id,
        "team_domain": backend.state.teams[channel.team_id].name,
        "post_id": post.id,
        "trigger_id": new_id(),
        "type": action.get("type", ""),
        "data_source": action.get("data_source", ""),
        "context": action["integration"].get("context", {}),
    }


def _parsed(got: Answer) -> Mapping[str, Any]:
    if got.status != 200 or len(got.body) >= MAX_ANSWER_BYTES:
        raise ApiError(errors.ACTION_FAILED)
    try:
        value = json.loads(got.body or b"{}") or {}
    except ValueError:
        raise ApiError(errors.ACTION_FAILED) from None
    good = isinstance(value, dict) and isinstance(value.get("ephemeral_text", ""), str)
    if not good or not isinstance(value.get("update") or {}, dict):
        raise ApiError(errors.ACTION_FAILED)
    return value


def _update(backend: Backend, post: Post, update: Mapping[str, Any] | None) -> None:
    """Replace the message (with an empty one if none is given), and the props if given."""
    if update is None:
        return
    message = str(update.get("message") or "")
    check_message(backend, message)
    patch = Patch(message=message, props=_props(post, update.get("props")))
    with backend.state.lock:
        change_post(backend, backend.state.posts[post.id], patch)


def _props(post: Post, props: Any) -> Mapping[str, Any] | None:
    if not isinstance(props, dict):
        return None
    own = {key: post.props[key] for key in _KEPT_PROPS if key in post.props}
    given = {key: value for key, value in props.items() if key not in _KEPT_PROPS}
    return with_full_attachments(given | own)
