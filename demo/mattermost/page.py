"""The pages of the stand-in, which show channels much as Mattermost's web client does."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, redirect, render_template, request

from demo.mattermost import page_actions
from demo.mattermost.api.files import send_bytes
from demo.mattermost.exchange import answer, backend
from demo.mattermost.ids import now_ms
from demo.mattermost.page_places import (
    CHANNEL_PATH,
    all_teams,
    find_channel,
    find_team,
    members_of,
    people_of,
    words,
)
from demo.mattermost.thread_views import badges_of, rows_of
from demo.mattermost.threads import view_channel
from demo.mattermost.views import Viewer, roots_shown, thread_view
from demo.mattermost.words import counted

blueprint = Blueprint("page", __name__)
blueprint.register_blueprint(page_actions.blueprint)

# Whatever a message holds, the page loads nothing from other hosts and runs only its own script.
# Inline styles set the colours of avatars and bars.
_POLICY = "default-src 'none'; connect-src 'self'; img-src 'self'; script-src 'self'; " + (
    "style-src 'self' 'unsafe-inline'; form-action 'self'; base-uri 'none'"
)


@blueprint.after_request
def _protect(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = _POLICY
    return response


@blueprint.context_processor
def _words() -> dict[str, Any]:
    """Return the variables that all templates use."""
    options = backend().options
    return {
        "locale": options.DefaultClientLocale,
        "time_zone": options.PageTimeZone,
        "words": words(),
        "counted": counted,
        "clock": _clock,
    }


def _clock(time: datetime) -> str:
    """Return the time of day, which the page's script may replace with the browser's."""
    zone = backend().options.PageTimeZone
    return f"{time.astimezone(ZoneInfo(zone)):%H:%M}" if zone else f"{time:%H:%M} UTC"


@blueprint.get("/")
def index() -> str:
    """Show all teams and their channels."""
    version = backend().options.Version
    return render_template("index.html", teams=all_teams(), version=version)


@blueprint.get(CHANNEL_PATH)
def channel_page(team_name: str, channel_name: str) -> str:
    """Show one channel; the page's script fetches the threads from `updates`."""
    team, channel = find_channel(team_name, channel_name)
    return render_template(
        "channel.html",
        teams=all_teams(),
        team=team,
        channel=channel,
        people=people_of(channel),
    )


@blueprint.get("/_redirect/pl/<post_id>")
def permalink(post_id: str) -> Any:
    """Redirect a post's permalink to its thread in its channel."""
    state = backend().state
    post = state.posts.get(post_id) or abort(404)
    channel = state.channels[post.channel_id]
    team = state.teams[channel.team_id]
    thread = post.root_id or post.id
    return redirect(f"/{team.name}/channels/{channel.name}#thread-{thread}")


@blueprint.get(f"{CHANNEL_PATH}/updates")
def updates(team_name: str, channel_name: str) -> Response:
    """Return the threads that changed since `revision`, as HTML, and all threads' ids in order.

    `as` is the id of the viewer. `since` is the time when the viewer's page was opened; it decides
    which reactions the page misses.
    """
    _, channel = find_channel(team_name, channel_name)
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
        # A viewer of the channel has seen all of its posts.
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
    """Return the viewer's badges by channel, and by team for the list of threads."""
    state = backend().state
    with state.lock:
        user = state.users.get(request.args.get("as", ""))
        found = badges_of(state, user, backend().options) if user else {}
    return answer({key: [badge.is_unread, badge.mentions] for key, badge in found.items()})


@blueprint.get("/<team_name>/threads")
def threads_page(team_name: str) -> str:
    """Show the list of threads that a member of the team follows."""
    team = find_team(team_name)
    people = members_of(team)
    viewer = next((each for each in people if each.id == request.args.get("as")), None)
    return render_template(
        "threads.html",
        teams=all_teams(),
        team=team,
        people=people,
        viewer=viewer or (people[0] if people else None),
        is_collapsed=backend().options.threads_are_collapsed,
    )


@blueprint.get("/<team_name>/threads/rows")
def thread_rows(team_name: str) -> str:
    """Return the rows of the list of threads as HTML."""
    state, team = backend().state, find_team(team_name)
    with state.lock:
        user = state.users.get(request.args.get("as", ""))
        rows = rows_of(state, user, team.id) if user else []
    return render_template("rows.html", rows=rows, viewer=user)


@blueprint.get(f"{CHANNEL_PATH}/files/<file_id>")
def get_file(team_name: str, channel_name: str, file_id: str) -> Response:
    """Return the bytes of a file of this channel."""
    _, channel = find_channel(team_name, channel_name)
    info = backend().state.files.get(file_id)
    owner = backend().state.posts.get(info.post_id) if info else None
    if info is None or info.delete_at or owner is None or owner.channel_id != channel.id:
        abort(404)
    return send_bytes(info)


def _url() -> str:
    return request.path.rpartition("/")[0]
