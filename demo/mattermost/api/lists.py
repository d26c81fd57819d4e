"""Routes: the posts of a thread and of a channel."""

from flask import Blueprint, Response, request

from demo.mattermost import errors, listing
from demo.mattermost.api.posts import visible_post
from demo.mattermost.errors import ApiError
from demo.mattermost.exchange import answer, backend, current_user, require_id
from demo.mattermost.ids import is_id
from demo.mattermost.listing import DEFAULT_PER_PAGE, MAX_PER_PAGE, ThreadPage
from demo.mattermost.permissions import may_read_channel
from demo.mattermost.shapes import Shape

blueprint = Blueprint("lists", __name__)


@blueprint.get("/posts/<post_id>/thread")
def get_thread(post_id: str) -> Response:
    """Return the thread of a post, whole or by pages."""
    post, bad = visible_post(post_id), backend().options.version.bad_thread_parameter
    page = ThreadPage(
        per_page=min(_number("perPage"), MAX_PER_PAGE),
        from_post_id=_post_id("fromPost"),
        from_create_at=_number("fromCreateAt"),
        direction=request.args.get("direction", ""),
    )
    # Both versions refuse a post without its time; 6.7 also refuses a time without its post.
    only_moment = backend().options.version.thread_needs_both_anchors and not page.from_post_id
    if (page.from_post_id and not page.from_create_at) or (page.from_create_at and only_moment):
        raise ApiError(bad, name="fromPost/fromCreateAt")
    if page.direction not in ("", "up", "down"):
        raise ApiError(bad, name="direction")
    with backend().state.lock:
        return answer(listing.thread(backend().state, post, page))


@blueprint.get("/channels/<channel_id>/posts")
def get_channel_posts(channel_id: str) -> Response:
    """Return a channel's posts: since a time, after or before a post, or the newest by page."""
    user, state = current_user(), backend().state
    if not may_read_channel(state, user, require_id(channel_id, "channel_id")):
        raise ApiError(errors.PERMISSIONS)
    with state.lock:
        return answer(_channel_posts(channel_id))


def _channel_posts(channel_id: str) -> Shape:
    state = backend().state
    number, per_page = _lenient("page", 0), min(_lenient("per_page", 0), MAX_PER_PAGE)
    part = {"number": number, "per_page": per_page or DEFAULT_PER_PAGE}
    after, before = _post_id("after"), _post_id("before")
    if since_ms := _number("since"):
        return listing.since(state, channel_id, since_ms=since_ms)
    if after:
        return listing.after(state, channel_id, anchor_id=after, **part)
    if before:
        return listing.before(state, channel_id, anchor_id=before, **part)
    return listing.page(state, channel_id, **part)


def _number(name: str) -> int:
    text = request.args.get(name) or "0"
    if not text.isdecimal():
        raise ApiError(errors.INVALID_PARAM, name=name)
    return int(text)


def _lenient(name: str, default: int) -> int:
    """Return a paging parameter; an invalid value counts as absent."""
    text = request.args.get(name, "")
    return int(text) if text.isdecimal() else default


def _post_id(name: str) -> str:
    text = request.args.get(name, "")
    if text and not is_id(text):
        raise ApiError(errors.INVALID_PARAM, name=name)
    return text
