"""Make a post: check it in the server's own order, save it, and call webhooks."""

import json
import re
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from demo.mattermost import errors
from demo.mattermost.backend import Backend
from demo.mattermost.deleting import delete_thread
from demo.mattermost.drafts import Draft
from demo.mattermost.entities import Post, User
from demo.mattermost.errors import ApiError
from demo.mattermost.faults import Fault, FaultKind, FaultScope
from demo.mattermost.ids import new_id, now_ms
from demo.mattermost.mentions import mentioned
from demo.mattermost.permissions import is_admin, may_post
from demo.mattermost.state import State
from demo.mattermost.threads import follow_by_reply, view_channel

# The server allows 300 characters for the JSON of the ids, which is ten ids.
MAX_FILES_PER_POST = 10
MAX_PROPS_LENGTH = 800_000

# Only the server sets these props, so a client's values are dropped.
_SERVER_PROPS = frozenset({"add_channel_member"})

_HASHTAG = re.compile(r"#[^\W\d_][\w.-]*\w")
_MIN_HASHTAG_LENGTH = 4
_CHANNEL_MENTION = re.compile(r"(?<![\w~])~([a-z0-9][a-z0-9_-]*)")


@dataclass(frozen=True, slots=True)
class Made:
    """The post that a request returns, and whether an earlier request made it."""

    post: Post
    duplicate: bool


def create_post(backend: Backend, author: User, draft: Draft) -> Made:
    """Make a post for a user of the API, and call the outgoing webhooks.

    Raises:
        ApiError: the post is refused, with the server's own status and id.
    """
    channel = backend.state.channels.get(draft.channel_id)
    if channel is None or not may_post(backend.state, author, channel):
        raise ApiError(errors.PERMISSIONS)
    if channel.delete_at:
        raise ApiError(errors.POST_TO_ARCHIVED)
    if draft.type.startswith("system_"):
        raise ApiError(errors.INVALID_PARAM, name="post.type")
    _check_priority(backend, draft)
    if not draft.pending_post_id:
        return Made(_make(backend, author, draft), duplicate=False)
    return _make_once(backend, author, draft)


def _check_priority(backend: Backend, draft: Draft) -> None:
    if draft.priority is None:
        return
    if not backend.options.PostPriority:
        raise ApiError(errors.PRIORITY_DISABLED)
    if draft.root_id:
        raise ApiError(errors.PRIORITY_OF_REPLY)


def _make_once(backend: Backend, author: User, draft: Draft) -> Made:
    key, ttl_s = draft.pending_post_id, backend.options.PendingPostTtlS
    if known := backend.pending.begin(key, ttl_s=ttl_s):
        post = backend.state.posts.get(known)
        if post is None or post.delete_at:
            raise ApiError(errors.POST_DUPLICATE_GONE)
        return Made(post, duplicate=True)
    if fault := take(backend, author, FaultKind.BEING_MADE):
        # Behave as if an earlier request with this id were still running and its client gone.
        backend.later(fault.seconds, partial(_make_and_keep, backend, author, draft))
        raise ApiError(errors.POST_PENDING)
    return Made(_make_and_keep(backend, author, draft), duplicate=False)


def _make_and_keep(backend: Backend, author: User, draft: Draft) -> Post:
    key = draft.pending_post_id
    try:
        post = _make(backend, author, draft)
    except ApiError:
        backend.pending.fail(key)
        raise
    backend.pending.succeed(key, post.id, ttl_s=backend.options.PendingPostTtlS)
    return post


def _make(backend: Backend, author: User, draft: Draft) -> Post:
    if fault := take(backend, author, FaultKind.SLOW_SAVE):
        backend.pause(fault.seconds)
    if draft.root_id and take(backend, author, FaultKind.ROOT_REJECTED):
        raise ApiError(errors.POST_ROOT)
    if fault := take(backend, author, FaultKind.PLUGIN_REJECTION):
        raise ApiError(errors.POST_REJECTED_BY_PLUGIN, reason=fault.reason)
    return post_as(backend, author, draft)


def post_as(backend: Backend, author: User, draft: Draft) -> Post:
    """Post without checking the author's permissions, and call the outgoing webhooks.

    Raises:
        ApiError: the root is no root post, or the post is not valid.
    """
    with backend.state.lock:
        _check_root(backend, draft)
        _apply_race_faults(backend, author, draft)
        post = save_post(backend, author, draft)
        if post.file_ids and take(backend, author, FaultKind.HALF_LIST_OF_FILES):
            backend.state.half_listed.add(post.id)
    channel = backend.state.channels[post.channel_id]
    backend.webhooks.trigger(post, channel=channel, author=author)
    return post


def save_post(backend: Backend, author: User, draft: Draft) -> Post:
    """Save a post without checking the author's permissions and without calling webhooks.

    Raises:
        ApiError: the post is not valid.
    """
    with backend.state.lock:
        at = draft.create_at if draft.create_at and is_admin(author) else now_ms()
        post = Post(
            id=new_id(),
            create_at=at,
            # A given time is also the time of the last change.
            update_at=at,
            user_id=author.id,
            channel_id=draft.channel_id,
            message=draft.message,
            props=_props(backend, author, draft),
            root_id=draft.root_id,
            type=draft.type,
            hashtags=_hashtags(draft.message),
            file_ids=tuple(sorted(set(draft.file_ids))),
            is_pinned=draft.is_pinned,
            priority=draft.priority,
        )
        _check_post(backend, draft, post)
        post = _attach(backend, author, _with_mentions(backend.state, post))
        backend.state.put(post)
        # This can also set the time back.
        touch_root(backend, post.root_id, at=post.create_at)
        _notify(backend, author, post)
    return post


def _with_mentions(state: State, post: Post) -> Post:
    named = mentioned(state, post.channel_id, post.message, post.props) - {post.user_id}
    return replace(post, mentions=tuple(sorted(named))) if named else post


def _notify(backend: Backend, author: User, post: Post) -> None:
    """Let a reply make followers, and mark the channel as read for an author who is no bot."""
    if post.root_id and backend.options.ThreadAutoFollow:
        follow_by_reply(backend.state, post)
    if not author.is_bot and post.props.get("from_webhook") != "true":
        view_channel(backend.state, author, post.channel_id, at=post.create_at)


def touch_root(backend: Backend, root_id: str, *, at: int | None = None) -> None:
    """Set a root's update_at, as the server does when its thread changes.

    A new reply sets the reply's own time; an edit and a deletion set the current time.
    """
    root = backend.state.posts.get(root_id)
    if root is not None:
        backend.state.put(replace(root, update_at=now_ms() if at is None else at))


def take(backend: Backend, user: User, kind: FaultKind) -> Fault | None:
    """Return the fault of this kind for a post by the user; None if none is set."""
    if not backend.faults:
        return None
    subject = backend.subject(FaultScope.POSTS, user)
    return backend.faults.take(frozenset({kind}), subject)


def _apply_race_faults(backend: Backend, author: User, draft: Draft) -> None:
    """Let another member reply first or delete the root in the same millisecond, by a fault.

    The server has checked the root by then, so a reply under a deleted root is saved.

    Raises:
        ApiError: two first replies to the root collide.
    """
    if not draft.root_id:
        return
    is_first = not backend.state.thread_post_ids[draft.root_id]
    if is_first and take(backend, author, FaultKind.FIRST_REPLY_COLLISION):
        raise ApiError(errors.POST_SAVE)
    if take(backend, author, FaultKind.UNDER_DELETED_ROOT):
        delete_thread(backend.state, draft.root_id, by=author)


def _check_root(backend: Backend, draft: Draft) -> None:
    if not draft.root_id:
        return
    root = backend.state.posts.get(draft.root_id)
    if root is None or root.delete_at or root.root_id:
        raise ApiError(errors.POST_ROOT)
    if root.channel_id != draft.channel_id:
        raise ApiError(errors.POST_ROOT_CHANNEL)


def _check_post(backend: Backend, draft: Draft, post: Post) -> None:
    if draft.id:
        raise ApiError(errors.POST_HAS_ID)
    check_message(backend, post.message)
    if post.type and not post.type.startswith(("custom_", "system_")):
        raise ApiError(errors.POST_TYPE)
    if len(post.file_ids) > MAX_FILES_PER_POST:
        raise ApiError(errors.POST_FILE_IDS)
    if len(json.dumps(post.props, ensure_ascii=False)) > MAX_PROPS_LENGTH:
        raise ApiError(errors.POST_PROPS)


def check_message(backend: Backend, message: str) -> None:
    """Refuse a message that the database's column cannot hold.

    Raises:
        ApiError: the message is too long or holds a NUL.
    """
    if len(message) > backend.options.MaxPostSize:
        raise ApiError(errors.POST_TOO_LONG)
    if "\x00" in message:
        raise ApiError(errors.POST_SAVE)


def _props(backend: Backend, author: User, draft: Draft) -> dict[str, Any]:
    props = {name: value for name, value in draft.props.items() if name not in _SERVER_PROPS}
    props.pop("channel_mentions", None)
    if mentioned := _channel_mentions(backend, draft):
        props["channel_mentions"] = mentioned
    if author.is_bot:
        props["from_bot"] = "true"
    return dict(sorted(props.items()))


def _channel_mentions(backend: Backend, draft: Draft) -> dict[str, Any]:
    if "~" not in draft.message:
        return {}
    state = backend.state
    team = state.teams[state.channels[draft.channel_id].team_id]
    ids = {
        name: state.channel_ids_by_name.get((team.id, name))
        for name in _CHANNEL_MENTION.findall(draft.message)
    }
    found = {name: state.channels[channel_id] for name, channel_id in ids.items() if channel_id}
    return {
        name: {"display_name": channel.display_name, "team_name": team.name}
        for name, channel in found.items()
        if channel.type == "O"
    }


def _hashtags(message: str) -> str:
    if "#" not in message:
        return ""
    words = (word.strip(".,;:!?()[]\"'*_~") for word in message.split())
    return " ".join(
        word for word in words if len(word) >= _MIN_HASHTAG_LENGTH and _HASHTAG.fullmatch(word)
    )


def _attach(backend: Backend, author: User, post: Post) -> Post:
    """Attach the files to the post, and drop files that cannot be attached, without an error."""
    if not post.file_ids:
        return post
    lost = post.file_ids[0] if take(backend, author, FaultKind.LOSE_FILE) else ""
    attached = []
    for file_id in post.file_ids:
        info = backend.state.files.get(file_id)
        if info and file_id != lost and not info.post_id and info.user_id == author.id:
            backend.state.put(replace(info, post_id=post.id, channel_id=post.channel_id))
            attached.append(file_id)
    return replace(post, file_ids=tuple(attached))
