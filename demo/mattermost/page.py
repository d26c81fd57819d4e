"""The page of the stand-in: its channels as Mattermost's web client would show them."""

from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, render_template, request

from demo.mattermost.api.files import send_bytes
from demo.mattermost.drafts import Draft
from demo.mattermost.editing import delete_post
from demo.mattermost.entities import Channel, Team, User
from demo.mattermost.errors import ApiError
from demo.mattermost.exchange import answer, backend
from demo.mattermost.permissions import is_admin
from demo.mattermost.posting import create_post
from demo.mattermost.setup import ADMIN_NAME
from demo.mattermost.uploads import Upload, save_upload
from demo.mattermost.views import roots_shown, thread_view

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


@blueprint.get(f"{_CHANNEL}/updates")
def updates(team_name: str, channel_name: str) -> Response:
    """The threads that changed since `revision`, as HTML, and the ids of all in order."""
    _, channel = _find(team_name, channel_name)
    state = backend().state
    boot_id, _, number = request.args.get("revision", "").partition(":")
    known = int(number) if boot_id == backend().boot_id and number.isdecimal() else -1
    with state.lock:
        revision = state.channel_revisions[channel.id]
        if revision == known:
            return Response(status=204)
        roots = roots_shown(state, channel)
        changed = [root for root in roots if state.thread_revisions[root.id] > known]
        views = [thread_view(state, root) for root in changed]
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


@blueprint.post(f"{_CHANNEL}/posts")
def post(team_name: str, channel_name: str) -> Response:
    """A post by the chosen person, made as the API makes it, so that webhooks fire."""
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
            return answer({"error": "Nothing to send."}, 400)
        create_post(backend(), user, draft)
    except ApiError as error:
        return answer({"error": error.message}, 400)
    return answer({}, 201)


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
    """Nobody is signed in here, so at least no page of another site may post."""
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
