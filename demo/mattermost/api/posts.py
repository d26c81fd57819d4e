"""Routes: make, change, delete and read single posts, and react to them."""

import re
from dataclasses import replace

from flask import Blueprint, Response, g, request

from demo.mattermost import errors
from demo.mattermost.attachments import revives
from demo.mattermost.drafts import Draft, parse_draft, parse_patch
from demo.mattermost.editing import delete_post, patch_post, purge_post
from demo.mattermost.entities import Post, Reaction
from demo.mattermost.errors import ApiError
from demo.mattermost.exchange import (
    answer,
    backend,
    current_user,
    entry,
    json_body,
    json_object,
    require_id,
    status_ok,
)
from demo.mattermost.ids import now_ms
from demo.mattermost.permissions import may_read_channel, may_see_post, may_take_part
from demo.mattermost.post_shapes import file_shape, files_of, post_shape, reaction_shape
from demo.mattermost.posting import create_post
from demo.mattermost.shapes import Shape
from demo.mattermost.wire import CUT_CONNECTION

blueprint = Blueprint("posts", __name__)

_EMOJI_NAME = re.compile(r"[a-zA-Z0-9\-+_]{1,64}")


@blueprint.post("/posts")
def create() -> Response:
    """Make a post; the same pending_post_id within 30 s returns the first post again."""
    user = current_user()
    knows_priority = backend().options.version.knows_priority
    draft = parse_draft(json_body("post"), knows_priority=knows_priority)
    _note(draft)
    made = create_post(backend(), user, draft)
    entry().post_id, entry().duplicate = made.post.id, made.duplicate
    pending = "" if made.duplicate else draft.pending_post_id
    shape = post_shape(backend().state, made.post, pending_post_id=pending)
    if made.duplicate:
        # The real server answers a duplicate from its cache, which lacks the metadata.
        del shape["metadata"]
    return answer(_as_made(shape, draft), 201)


def _as_made(shape: Shape, draft: Draft) -> Shape:
    """Return the answer to the author: null if all files were dropped, and a short priority."""
    if draft.file_ids and shape.get("file_ids") == []:
        shape["file_ids"] = None
    priority = shape.get("metadata", {}).get("priority", {})
    for key in ("PostId", "ChannelId"):
        priority.pop(key, None)
    return shape


@blueprint.get("/posts/<post_id>")
def get(post_id: str) -> Response:
    """Return a post that is not deleted."""
    return answer(post_shape(backend().state, visible_post(post_id)))


@blueprint.post("/posts/ids")
def get_by_ids() -> Response:
    """Return posts by ids, deleted ones blank; 404 only if none exists."""
    user, state = current_user(), backend().state
    ids = json_body("post_ids")
    if not isinstance(ids, list) or not ids:
        raise ApiError(errors.INVALID_BODY_PARAM, name="post_ids")
    known = [state.posts[post_id] for post_id in ids if post_id in state.posts]
    if not known:
        raise ApiError(errors.POST_UNKNOWN)
    return answer([post_shape(state, p) for p in known if may_see_post(state, user, p)])


@blueprint.put("/posts/<post_id>")
def update(post_id: str) -> Response:
    """Change a post's message; the body must repeat the post's id."""
    user = current_user()
    body = json_object("post")
    if body.get("id") != post_id:
        raise ApiError(errors.INVALID_BODY_PARAM, name="id")
    post = patch_post(backend(), user, require_id(post_id, "post_id"), parse_patch(body))
    return answer(post_shape(backend().state, post))


@blueprint.put("/posts/<post_id>/patch")
def patch(post_id: str) -> Response:
    """Change some fields of a post."""
    user = current_user()
    changes, old = parse_patch(json_body("post")), backend().state.posts.get(post_id)
    if old and revives(old.props, changes.props) and not _can_revive():
        request.environ[CUT_CONNECTION] = True
        return Response()
    post = patch_post(backend(), user, require_id(post_id, "post_id"), changes)
    entry().post_id = post.id
    return answer(post_shape(backend().state, post))


def _can_revive() -> bool:
    return backend().options.version.dead_buttons_can_be_revived


@blueprint.delete("/posts/<post_id>")
def delete_one(post_id: str) -> Response:
    """Delete a post, a root with its thread; `permanent` leaves no trace."""
    is_permanent = request.args.get("permanent") == "true"
    knows = backend().options.version.deletes_for_good
    delete = purge_post if is_permanent and knows else delete_post
    delete(backend(), current_user(), require_id(post_id, "post_id"))
    entry().post_id = post_id
    return status_ok()


@blueprint.get("/posts/<post_id>/files/info")
def get_files(post_id: str) -> Response:
    """Return the files of a post in the order of their upload."""
    post = visible_post(post_id)
    if not may_read_channel(backend().state, g.user, post.channel_id):
        raise ApiError(errors.PERMISSIONS)
    return answer([file_shape(backend().state, info) for info in files_of(backend().state, post)])


@blueprint.post("/reactions")
def add_reaction() -> Response:
    """React to a post as the caller."""
    user, body, state = current_user(), json_object("reaction"), backend().state
    name = str(body.get("emoji_name"))
    if not _EMOJI_NAME.fullmatch(name):
        raise ApiError(errors.REACTION_INVALID)
    post = _reactable(str(body.get("post_id")), user_id=str(body.get("user_id")))
    reaction = Reaction(user.id, post.id, name, now_ms())
    with state.lock:
        state.put(reaction)
        state.put(replace(post, update_at=reaction.create_at))
    entry().post_id = post.id
    return answer(reaction_shape(state, reaction))


@blueprint.get("/posts/<post_id>/reactions")
def get_reactions(post_id: str) -> Response:
    """Return all reactions to a post."""
    post = visible_post(post_id)
    reactions = backend().state.reactions.get(post.id, {})
    return answer([reaction_shape(backend().state, each) for each in reactions.values()])


@blueprint.delete("/users/<user_id>/posts/<post_id>/reactions/<name>")
def remove_reaction(user_id: str, post_id: str, name: str) -> Response:
    """Remove a reaction."""
    current_user()
    post, state = _reactable(post_id, user_id=user_id), backend().state
    with state.lock:
        at = now_ms()
        state.put(Reaction(user_id, post.id, name, at, removed=True))
        state.put(replace(post, update_at=at))
    entry().post_id = post.id
    return status_ok()


def visible_post(post_id: str) -> Post:
    """Return the post, which is not deleted and which the caller may read.

    Raises:
        ApiError: 404 for an unknown or deleted post, 403 if the caller may not read the post.
    """
    user, state = current_user(), backend().state
    post = state.posts.get(require_id(post_id, "post_id"))
    if post is None or post.delete_at:
        raise ApiError(errors.POST_UNKNOWN)
    if not may_see_post(state, user, post):
        raise ApiError(errors.PERMISSIONS)
    return post


def _reactable(post_id: str, *, user_id: str) -> Post:
    state, post = backend().state, backend().state.posts.get(post_id)
    is_own = user_id == current_user().id
    if post is None or not is_own or not may_take_part(state, g.user, post.channel_id):
        raise ApiError(errors.PERMISSIONS)
    if post.delete_at:
        raise ApiError(errors.POST_UNKNOWN)
    if state.channels[post.channel_id].delete_at:
        raise ApiError(errors.REACTION_IN_ARCHIVED)
    return post


def _note(draft: Draft) -> None:
    record = entry()
    record.channel_id = draft.channel_id
    record.root_id = draft.root_id
    record.pending_post_id = draft.pending_post_id
    record.message = draft.message
    record.props = draft.props
    record.file_ids = draft.file_ids
