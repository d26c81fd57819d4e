"""Routes: the threads that a user follows, and what a user has seen of a channel."""

from typing import Any

from flask import Blueprint, Response, request

from demo.mattermost import errors
from demo.mattermost.entities import Post, User
from demo.mattermost.errors import ApiError
from demo.mattermost.exchange import (
    answer,
    backend,
    current_user,
    json_object,
    require_id,
    status_ok,
)
from demo.mattermost.ids import now_ms
from demo.mattermost.permissions import is_admin
from demo.mattermost.thread_shapes import thread_shape, threads_shape
from demo.mattermost.threads import (
    followed_thread,
    followed_threads,
    mark_read,
    set_following,
    view_channel,
)

blueprint = Blueprint("threads", __name__)

_THREADS = "/users/<user_id>/teams/<team_id>/threads"
DEFAULT_PER_PAGE = 30


@blueprint.get(_THREADS)
def list_threads(user_id: str, team_id: str) -> Response:
    """Return the threads that a user follows, the newest reply first, and the totals of all."""
    user, state = _own(user_id), backend().state
    with state.lock:
        threads = followed_threads(state, user.id, team_id)
        unread = [each for each in threads if each.unread_replies]
        listed = unread if request.args.get("unread") == "true" else threads
        per_page = request.args.get("per_page", DEFAULT_PER_PAGE, type=int)
        shown = [] if request.args.get("totalsOnly") == "true" else listed[:per_page]
        return answer(threads_shape(state, all_threads=threads, shown=shown))


@blueprint.get(f"{_THREADS}/<root_id>")
def get_thread(user_id: str, team_id: str, root_id: str) -> Response:
    """Return one thread that a user follows."""
    user, state = _own(user_id), backend().state
    with state.lock:
        return answer(_thread(user, require_id(root_id, "thread_id")))


@blueprint.route(f"{_THREADS}/<post_id>/following", methods=["PUT", "DELETE"])
def follow(user_id: str, team_id: str, post_id: str) -> Response:
    """Follow or unfollow a thread. An administrator may do so for others."""
    user = _own(user_id)
    with backend().state.lock:
        following = request.method == "PUT"
        require_id(post_id, "thread_id")
        set_following(backend().state, user.id, post_id, following=following)
    return status_ok()


@blueprint.put(f"{_THREADS}/<root_id>/read/<int:at>")
def read_thread(user_id: str, team_id: str, root_id: str, at: int) -> Response:
    """Mark a thread as read up to a time."""
    user, state = _own(user_id), backend().state
    with state.lock:
        mark_read(state, user.id, require_id(root_id, "thread_id"), at=at)
        return answer(_thread(user, root_id))


@blueprint.put(f"{_THREADS}/read")
def read_all(user_id: str, team_id: str) -> Response:
    """Mark all threads of a team as read."""
    user, state = _own(user_id), backend().state
    with state.lock:
        for thread in followed_threads(state, user.id, team_id):
            mark_read(state, user.id, thread.root.id, at=now_ms())
    return status_ok()


@blueprint.post("/channels/members/<user_id>/view")
def view(user_id: str) -> Response:
    """Mark all posts of a channel as read."""
    user, state = _own(user_id), backend().state
    channel_id, now = str(json_object("channel_view").get("channel_id", "")), now_ms()
    with state.lock:
        view_channel(state, user, channel_id, at=now)
    return answer({"status": "OK", "last_viewed_at_times": {channel_id: now}})


def _own(user_id: str) -> User:
    """Return the user in the path: the caller, or for an administrator any user."""
    asking, state = current_user(), backend().state
    if user_id in ("me", asking.id):
        return asking
    if not is_admin(asking):
        raise ApiError(errors.PERMISSIONS)
    if user_id not in state.users:
        raise ApiError(errors.USER_UNKNOWN)
    return state.users[user_id]


def _thread(user: User, root_id: str) -> dict[str, Any]:
    state = backend().state
    membership = state.thread_memberships.get(root_id, {}).get(user.id)
    root: Post | None = state.posts.get(root_id)
    if membership is None:
        raise ApiError(errors.THREAD_NOT_FOLLOWED)
    if root is None or root.delete_at or not state.replies(root_id):
        raise ApiError(errors.THREAD_WITHOUT_REPLY)
    return thread_shape(state, followed_thread(state, root, membership))
