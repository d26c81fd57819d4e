"""The actions of the chosen user on the page: write, read, press a button, delete."""

from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, request

from demo.mattermost.attachments import find_action
from demo.mattermost.button_calls import click
from demo.mattermost.commands import execute
from demo.mattermost.drafts import Draft
from demo.mattermost.editing import delete_post
from demo.mattermost.entities import Channel, User
from demo.mattermost.errors import COMMAND_START, COMMAND_UNKNOWN, ApiError
from demo.mattermost.exchange import answer, backend
from demo.mattermost.ids import now_ms
from demo.mattermost.page_places import CHANNEL_PATH, find_channel, people_of, words
from demo.mattermost.posting import create_post
from demo.mattermost.setup import ADMIN_NAME
from demo.mattermost.threads import mark_read
from demo.mattermost.uploads import Upload, save_upload

blueprint = Blueprint("actions", __name__)


@blueprint.post(f"{CHANNEL_PATH}/posts")
def post(team_name: str, channel_name: str) -> Response:
    """Post as the chosen user, as the API does, so that webhooks are called.

    A message that begins with a slash is a command, unless the user sends it a second time.
    """
    _, channel = find_channel(team_name, channel_name)
    user = _writer(channel)
    try:
        draft = Draft(
            channel_id=channel.id,
            message=request.form.get("message", ""),
            root_id=request.form.get("root_id", ""),
            file_ids=_upload(channel, user),
        )
        if not draft.message.strip() and not draft.file_ids:
            return answer({"error": words().nothing_to_send}, 400)
        if draft.message.startswith("/") and request.form.get("is_message") != "true":
            told = execute(backend(), user, channel, draft.message, root_id=draft.root_id)
            return answer({"private": told["text"]}, 201)
        create_post(backend(), user, draft)
    except ApiError as error:
        if error.id in (COMMAND_UNKNOWN.id, COMMAND_START.id):
            return answer({"error": _no_command(), "is_command": True})
        return answer({"error": error.message}, 400)
    return answer({}, 201)


def _no_command() -> str:
    """Return the web client's error text, which offers to send the text as a message."""
    word = request.form.get("message", "").split()[0]
    return words().no_command.format(word=word)


@blueprint.post(f"{CHANNEL_PATH}/threads/<root_id>/read")
def read_thread(team_name: str, channel_name: str, root_id: str) -> Response:
    """Mark a thread as read by the chosen user."""
    _, channel = find_channel(team_name, channel_name)
    user, state = _writer(channel), backend().state
    with state.lock:
        mark_read(state, user.id, root_id, at=now_ms())
    return answer({})


@blueprint.post(f"{CHANNEL_PATH}/posts/<post_id>/actions/<action_id>")
def press(team_name: str, channel_name: str, post_id: str, action_id: str) -> Response:
    """Press a button as the chosen user; the client shows any error as one line."""
    _, channel = find_channel(team_name, channel_name)
    user, post = _writer(channel), backend().state.posts.get(post_id)
    action = find_action(post.props, action_id) if post else None
    if post is None or action is None or "integration" not in action:
        return answer({"error": words().action_failed}, 400)
    try:
        click(backend(), user, post, action)
    except ApiError as error:
        return answer({"error": error.message}, 400)
    return answer({})


@blueprint.post(f"{CHANNEL_PATH}/posts/<post_id>/delete")
def delete(team_name: str, channel_name: str, post_id: str) -> Response:
    """Delete a post as the administrator."""
    find_channel(team_name, channel_name)
    _require_own_page()
    state = backend().state
    try:
        delete_post(backend(), state.users[state.user_ids_by_name[ADMIN_NAME]], post_id)
    except ApiError as error:
        return answer({"error": error.message}, 400)
    return answer({})


def _writer(channel: Channel) -> User:
    _require_own_page()
    chosen = [user for user in people_of(channel) if user.id == request.form.get("user_id")]
    if not chosen:
        abort(403)
    return chosen[0]


def _require_own_page() -> None:
    """Refuse a request from a page of another site: the stand-in's page has no sign-in."""
    if urlsplit(request.headers.get("Origin", "")).netloc != request.host:
        abort(403)


def _upload(channel: Channel, user: User) -> tuple[str, ...]:
    state, store, options = backend().state, backend().store, backend().options
    uploads = [
        Upload(user, channel.id, part.filename, part.stream, state.upload_moment())
        for part in request.files.getlist("files")
        if part.filename
    ]
    return tuple(save_upload(state, store, each, options=options).id for each in uploads)
