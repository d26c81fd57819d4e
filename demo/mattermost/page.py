"""The page of the stand-in: its channels as Mattermost's web client would show them."""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, redirect, render_template, request

from demo.mattermost.api.files import send_bytes
from demo.mattermost.attachments import find_action
from demo.mattermost.button_calls import click
from demo.mattermost.commands import execute
from demo.mattermost.drafts import Draft
from demo.mattermost.editing import delete_post
from demo.mattermost.entities import Channel, Team, User
from demo.mattermost.errors import COMMAND_START, COMMAND_UNKNOWN, ApiError
from demo.mattermost.exchange import answer, backend
from demo.mattermost.ids import now_ms
from demo.mattermost.permissions import is_admin
from demo.mattermost.posting import create_post
from demo.mattermost.setup import ADMIN_NAME
from demo.mattermost.thread_views import badges_of, rows_of
from demo.mattermost.threads import mark_read, view_channel
from demo.mattermost.uploads import Upload, save_upload
from demo.mattermost.views import Viewer, roots_shown, thread_view
from demo.mattermost.words import CLIENT_WORDS, ClientWords, counted

blueprint = Blueprint("page", __name__)

_CHANNEL = "/<team_name>/channels/<channel_name>"

# Nothing is loaded from elsewhere and no script but ours runs, whatever a message holds. Styles
# in the markup are the colours of avatars and bars.
_POLICY = "default-src 'none'; connect-src 'self'; img-src 'self'; script-src 'self'; " + (
    "style-src 'self' 'unsafe-inline'; form-action 'self'; base-uri 'none'"
)


@blueprint.after_request
def _protect(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = _POLICY
    return response


@blueprint.context_processor
def _words() -> dict[str, Any]:
    """What the templates are written in."""
    options = backend().options
    return {
        "locale": options.DefaultClientLocale,
        "time_zone": options.PageTimeZone,
        "words": words(),
        "counted": counted,
        "clock": _clock,
    }


def _clock(time: datetime) -> str:
    """The time of day, until the page's script writes it by the browser's clock."""
    zone = backend().options.PageTimeZone
    return f"{time.astimezone(ZoneInfo(zone)):%H:%M}" if zone else f"{time:%H:%M} UTC"


def words() -> ClientWords:
    """The texts in the server's language."""
    return CLIENT_WORDS[backend().options.DefaultClientLocale]


@blueprint.get("/")
def index() -> str:
    """All teams and their channels."""
    version = backend().options.Version
    return render_template("index.html", teams=_teams(), version=version)


@blueprint.get(_CHANNEL)
def channel_page(team_name: str, channel_name: str) -> str:
    """One channel; its threads come by `updates`."""
    team, channel = _find(team_name, channel_name)
    return render_template(
        "channel.html",
        teams=_teams(),
        team=team,
        channel=channel,
        people=_people(channel),
    )


@blueprint.get("/_redirect/pl/<post_id>")
def permalink(post_id: str) -> Any:
    """Where a post's permalink leads: its channel, at its thread."""
    state = backend().state
    post = state.posts.get(post_id) or abort(404)
    channel = state.channels[post.channel_id]
    team = state.teams[channel.team_id]
    thread = post.root_id or post.id
    return redirect(f"/{team.name}/channels/{channel.name}#thread-{thread}")


@blueprint.get(f"{_CHANNEL}/updates")
def updates(team_name: str, channel_name: str) -> Response:
    """The threads that changed since `revision`, as HTML, and the ids of all in order.

    `as` is who looks, and `since` when their page was opened, which decides what they miss.
    """
    _, channel = _find(team_name, channel_name)
    state = backend().state
    boot_id, _, number = request.args.get("revision", "").partition(":")
    known = int(number) if boot_id == backend().boot_id and number.isdecimal() else -1
    viewer = Viewer(request.args.get("as", ""), request.args.get("since", 0, type=int))
    with state.lock:
        revision = state.channel_revisions[channel.id]
        if revision == known:
            return Response(status=204)
        roots = roots_shown(state, channel)
        changed = [root for root in roots if state.thread_revisions[root.id] > known]
        views = [thread_view(state, root, backend().options, viewer) for root in changed]
        # Who looks at a channel has seen it.
        if viewer.user_id in state.users:
            view_channel(state, state.users[viewer.user_id], channel.id, at=now_ms())
    return answer(
        {
            "revision": f"{backend().boot_id}:{revision}",
            "order": [root.id for root in roots],
            "threads": {
                view.root.id: render_template("thread.html", thread=view, channel_url=_url())
                for view in views
            },
        }
    )


@blueprint.get("/badges")
def badges() -> Response:
    """The badges of the one who looks, by channel and by team (for its list of threads)."""
    state = backend().state
    with state.lock:
        user = state.users.get(request.args.get("as", ""))
        found = badges_of(state, user, backend().options) if user else {}
    return answer({key: [badge.is_unread, badge.mentions] for key, badge in found.items()})


@blueprint.get("/<team_name>/threads")
def threads_page(team_name: str) -> str:
    """The threads that a member of the team follows."""
    team = _team(team_name)
    people = _members(team)
    viewer = next((each for each in people if each.id == request.args.get("as")), None)
    return render_template(
        "threads.html",
        teams=_teams(),
        team=team,
        people=people,
        viewer=viewer or (people[0] if people else None),
        is_collapsed=backend().options.threads_are_collapsed,
    )


@blueprint.get("/<team_name>/threads/rows")
def thread_rows(team_name: str) -> str:
    """The rows of that list."""
    state, team = backend().state, _team(team_name)
    with state.lock:
        user = state.users.get(request.args.get("as", ""))
        rows = rows_of(state, user, team.id) if user else []
    return render_template("rows.html", rows=rows, viewer=user)


@blueprint.post(f"{_CHANNEL}/posts")
def post(team_name: str, channel_name: str) -> Response:
    """A post by the chosen person, made as the API makes it, so that webhooks are called.

    What begins with a slash is a command, unless it is sent a second time.
    """
    _, channel = _find(team_name, channel_name)
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
    """The web client's own words; with them it offers to send the message as it is."""
    word = request.form.get("message", "").split()[0]
    return words().no_command.format(word=word)


@blueprint.post(f"{_CHANNEL}/threads/<root_id>/read")
def read_thread(team_name: str, channel_name: str, root_id: str) -> Response:
    """The chosen person has opened a thread."""
    _, channel = _find(team_name, channel_name)
    user, state = _writer(channel), backend().state
    with state.lock:
        mark_read(state, user.id, root_id, at=now_ms())
    return answer({})


@blueprint.post(f"{_CHANNEL}/posts/<post_id>/actions/<action_id>")
def press(team_name: str, channel_name: str, post_id: str, action_id: str) -> Response:
    """The chosen person presses a button; whatever goes wrong, the client shows one line."""
    _, channel = _find(team_name, channel_name)
    user, post = _writer(channel), backend().state.posts.get(post_id)
    action = find_action(post.props, action_id) if post else None
    if post is None or action is None or "integration" not in action:
        return answer({"error": words().action_failed}, 400)
    try:
        click(backend(), user, post, action)
    except ApiError as error:
        return answer({"error": error.message}, 400)
    return answer({})


@blueprint.post(f"{_CHANNEL}/posts/<post_id>/delete")
def delete(team_name: str, channel_name: str, post_id: str) -> Response:
    """Delete a post, as the administrator may."""
    _find(team_name, channel_name)
    _require_own_page()
    state = backend().state
    try:
        delete_post(backend(), state.users[state.user_ids_by_name[ADMIN_NAME]], post_id)
    except ApiError as error:
        return answer({"error": error.message}, 400)
    return answer({})


@blueprint.get(f"{_CHANNEL}/files/<file_id>")
def get_file(team_name: str, channel_name: str, file_id: str) -> Response:
    """The bytes of a file of this channel."""
    _, channel = _find(team_name, channel_name)
    info = backend().state.files.get(file_id)
    owner = backend().state.posts.get(info.post_id) if info else None
    if info is None or info.delete_at or owner is None or owner.channel_id != channel.id:
        abort(404)
    return send_bytes(info)


def _url() -> str:
    return request.path.rpartition("/")[0]


def _teams() -> list[tuple[Team, list[Channel]]]:
    state = backend().state
    with state.lock:
        channels = sorted(state.channels.values(), key=lambda channel: channel.display_name)
        return [
            (team, [channel for channel in channels if channel.team_id == team.id])
            for team in state.teams.values()
        ]


def _people(channel: Channel) -> list[User]:
    """The members who can be chosen as the writer, people of the team before the administrator."""
    state = backend().state
    with state.lock:
        users = [state.users[user_id] for user_id in state.channel_members[channel.id]]
    able = [user for user in users if not user.is_bot and not user.delete_at]
    return sorted(able, key=lambda user: (is_admin(user), user.username))


def _team(team_name: str) -> Team:
    state = backend().state
    if team_name not in state.team_ids_by_name:
        abort(404)
    return state.teams[state.team_ids_by_name[team_name]]


def _members(team: Team) -> list[User]:
    """The people of a team, the administrator last."""
    state = backend().state
    with state.lock:
        users = [state.users[user_id] for of, user_id in state.team_members if of == team.id]
    able = [user for user in users if not user.is_bot and not user.delete_at]
    return sorted(able, key=lambda user: (is_admin(user), user.username))


def _find(team_name: str, channel_name: str) -> tuple[Team, Channel]:
    state = backend().state
    team_id = state.team_ids_by_name.get(team_name, "")
    channel_id = state.channel_ids_by_name.get((team_id, channel_name))
    if channel_id is None:
        abort(404)
    return state.teams[team_id], state.channels[channel_id]


def _writer(channel: Channel) -> User:
    _require_own_page()
    chosen = [user for user in _people(channel) if user.id == request.form.get("user_id")]
    if not chosen:
        abort(403)
    return chosen[0]


def _require_own_page() -> None:
    """Refuse what a page of another site would post: the stand-in's page has no sign-in."""
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
