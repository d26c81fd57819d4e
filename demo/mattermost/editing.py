"""Change and delete posts, with the traces that Mattermost leaves in the channel."""

from dataclasses import replace

from demo.mattermost import errors
from demo.mattermost.backend import Backend
from demo.mattermost.deleting import delete_thread, lose_file, purge_thread
from demo.mattermost.drafts import Patch
from demo.mattermost.entities import Post, User
from demo.mattermost.errors import ApiError
from demo.mattermost.ids import new_id, now_ms
from demo.mattermost.permissions import is_admin, may_change_post
from demo.mattermost.posting import check_message, touch_root


def patch_post(backend: Backend, user: User, post_id: str, patch: Patch) -> Post:
    """Change a post; keep the old version as a deleted copy with the post as its original.

    Raises:
        ApiError: 403 for an unknown post and for a post of another user.
    """
    with backend.state.lock:
        old = backend.state.posts.get(post_id)
        if old is None or not may_change_post(backend.state, user, old):
            raise ApiError(errors.PERMISSIONS)
        if backend.state.channels[old.channel_id].delete_at:
            raise ApiError(errors.PATCH_IN_ARCHIVED)
        _check_edit_time(backend, old, patch)
        return change_post(backend, old, patch)


def _check_edit_time(backend: Backend, old: Post, patch: Patch) -> None:
    """Refuse a message after the time limit for edits; a patch of props alone is allowed.

    Newer versions refuse any message in the patch, older versions only a different message.
    """
    seconds = backend.options.PostEditTimeLimit
    is_same = not backend.options.version.edits_add_files and patch.message == old.message
    if seconds == -1 or patch.message is None or is_same:
        return
    if now_ms() > old.create_at + seconds * 1_000:
        raise ApiError(errors.EDITED_TOO_LATE, seconds=str(seconds))


def change_post(backend: Backend, old: Post, patch: Patch) -> Post:
    """Change a post without checking permissions. The caller must hold the state's lock.

    Raises:
        ApiError: the message is too long.
    """
    new = _patched(backend, old, patch)
    backend.state.put(_history_copy(old, replaced_at=new.update_at))
    backend.state.put(new)
    touch_root(backend, new.root_id)
    return new


def delete_post(backend: Backend, user: User, post_id: str) -> None:
    """Delete a post, a root with all its replies; their files are deleted too.

    Raises:
        ApiError: the post is unknown; 403 for a post of another user.
    """
    with backend.state.lock:
        post = backend.state.posts.get(post_id)
        if post is None or post.delete_at:
            raise ApiError(backend.options.version.deletion_of_unknown)
        if not may_change_post(backend.state, user, post):
            raise ApiError(errors.PERMISSIONS)
        delete_thread(backend.state, post.id, by=user)
        touch_root(backend, post.root_id)


def purge_post(backend: Backend, user: User, post_id: str) -> None:
    """Delete a post permanently, with its replies and files, also if it was deleted before.

    Raises:
        ApiError: 501 if the option is off, 403 for all users but administrators.
    """
    if not backend.options.EnableAPIPostDeletion:
        raise ApiError(errors.PERMANENT_DELETION_DISABLED)
    if not is_admin(user):
        raise ApiError(errors.PERMISSIONS)
    with backend.state.lock:
        post = backend.state.posts.get(post_id)
        if post is None:
            raise ApiError(backend.options.version.deletion_of_unknown)
        purge_thread(backend.state, backend.store, post.id)


def _patched(backend: Backend, old: Post, patch: Patch) -> Post:
    now = now_ms()
    message = old.message if patch.message is None else patch.message
    check_message(backend, message)
    props = old.props if patch.props is None else patch.props
    is_seen = (message, props.get("attachments")) != (old.message, old.props.get("attachments"))
    return replace(
        old,
        message=message,
        props=props,
        is_pinned=old.is_pinned if patch.is_pinned is None else patch.is_pinned,
        file_ids=_files(backend, old, patch),
        update_at=now,
        # A reader sees only the attachments of the props.
        edit_at=now if is_seen or patch.file_ids is not None else old.edit_at,
    )


def _files(backend: Backend, old: Post, patch: Patch) -> tuple[str, ...]:
    """Return the post's files after an edit; only newer versions let an edit add files."""
    if patch.file_ids is None:
        return old.file_ids
    kept = [file_id for file_id in old.file_ids if file_id in patch.file_ids]
    for gone in set(old.file_ids) - set(kept) if backend.options.version.edits_add_files else ():
        lose_file(backend.state, gone, at=now_ms())
    return tuple(sorted([*kept, *_added(backend, old, patch.file_ids)]))


def _added(backend: Backend, old: Post, file_ids: tuple[str, ...]) -> list[str]:
    if not backend.options.version.edits_add_files:
        return []
    infos = [info for file_id in file_ids if (info := backend.state.files.get(file_id))]
    fresh = [info for info in infos if not info.post_id and info.user_id == old.user_id]
    for info in fresh:
        backend.state.put(replace(info, post_id=old.id, channel_id=old.channel_id))
    return [info.id for info in fresh]


def _history_copy(old: Post, *, replaced_at: int) -> Post:
    return replace(
        old,
        id=new_id(),
        original_id=old.id,
        update_at=replaced_at,
        delete_at=replaced_at,
    )
