"""Delete posts: as the server does by default, by a mark, or permanently."""

from dataclasses import replace

from demo.mattermost.entities import Post, User
from demo.mattermost.ids import now_ms
from demo.mattermost.state import State
from demo.mattermost.uploads import FileStore


def delete_thread(state: State, post_id: str, *, by: User) -> None:
    """Delete a post, a root with all its replies; their files are deleted too.

    Replies that were deleted earlier also get the time and the user of this deletion, as on the
    real server.
    """
    now = now_ms()
    of_thread = [post for post in state.posts.values() if post.root_id == post_id]
    for gone in [state.posts[post_id], *of_thread]:
        props = {**gone.props, "deleteBy": by.id}
        state.put(replace(gone, delete_at=now, update_at=now, props=props))
        for file_id in () if gone.delete_at else gone.file_ids:
            lose_file(state, file_id, at=now)


def lose_file(state: State, file_id: str, *, at: int) -> None:
    """Delete a file; the server then answers that the file is unknown."""
    state.put(replace(state.files[file_id], delete_at=at))


def purge_thread(state: State, store: FileStore, post_id: str) -> None:
    """Leave no trace of a post, its replies and their files."""
    replies = [post for post in state.posts.values() if post.root_id == post_id]
    for gone in [*replies, state.posts[post_id]]:
        _purge(state, store, gone)


def purge_user(state: State, store: FileStore, user: User) -> None:
    """Leave no trace of a user's posts and of the replies under them."""
    for post_id in [post.id for post in state.posts.values() if post.user_id == user.id]:
        if post_id in state.posts:
            purge_thread(state, store, post_id)


def _purge(state: State, store: FileStore, post: Post) -> None:
    for file_id in post.file_ids:
        lose_file(state, file_id, at=now_ms())
        store.remove(file_id)
    state.put(replace(post, purged_at=now_ms()))
