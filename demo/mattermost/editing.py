"""Changing and deleting posts, with the traces that Mattermost leaves in the channel."""

from dataclasses import replace

from demo.mattermost import errors
from demo.mattermost.backend import Backend
from demo.mattermost.drafts import Patch
from demo.mattermost.entities import Post, User
from demo.mattermost.errors import ApiError
from demo.mattermost.ids import new_id, now_ms
from demo.mattermost.permissions import may_change_post
from demo.mattermost.posting import check_message, touch_root


def patch_post(backend: Backend, user: User, post_id: str, patch: Patch) -> Post:
    """Change a post; what it was stays behind as a deleted copy that names it as original.

    Raises: ApiError 403 for an unknown post as for one of somebody else.
    """
    with backend.state.lock:
        old = backend.state.posts.get(post_id)
        if old is None or not may_change_post(backend.state, user, old):
            raise ApiError(errors.PERMISSIONS)
        if backend.state.channels[old.channel_id].delete_at:
            raise ApiError(errors.PATCH_IN_ARCHIVED)
        new = _patched(backend, old, patch)
        backend.state.put(_history_copy(old, replaced_at=new.update_at))
        backend.state.put(new)
        touch_root(backend, new.root_id)
    return new


def delete_post(backend: Backend, user: User, post_id: str) -> None:
    """Delete a post, a root with all its replies; files go with their posts.

    Raises: ApiError 403 for an unknown post as for one of somebody else.
    """
    with backend.state.lock:
        post = backend.state.posts.get(post_id)
        if post is None or not may_change_post(backend.state, user, post):
            raise ApiError(errors.PERMISSIONS)
        now = now_ms()
        for gone in [post, *backend.state.replies(post.id)]:
            _delete(backend, gone, by=user, at=now)
        touch_root(backend, post.root_id)


def _patched(backend: Backend, old: Post, patch: Patch) -> Post:
    now = now_ms()
    message = old.message if patch.message is None else patch.message
    check_message(backend, message)
    return replace(
        old,
        message=message,
        props=old.props if patch.props is None else patch.props,
        is_pinned=old.is_pinned if patch.is_pinned is None else patch.is_pinned,
        file_ids=_kept_files(old, patch),
        update_at=now,
        edit_at=now if message != old.message else old.edit_at,
    )


def _kept_files(old: Post, patch: Patch) -> tuple[str, ...]:
    """Version 6.7 takes files away from a post that is edited, but adds none."""
    if patch.file_ids is None:
        return old.file_ids
    return tuple(file_id for file_id in old.file_ids if file_id in patch.file_ids)


def _history_copy(old: Post, *, replaced_at: int) -> Post:
    return replace(
        old,
        id=new_id(),
        original_id=old.id,
        update_at=replaced_at,
        delete_at=replaced_at,
    )


def _delete(backend: Backend, post: Post, *, by: User, at: int) -> None:
    props = {**post.props, "deleteBy": by.id}
    backend.state.put(replace(post, delete_at=at, update_at=at, props=props))
    for file_id in post.file_ids:
        backend.state.put(replace(backend.state.files[file_id], delete_at=at))
