"""Build the JSON of posts, their files and reactions, and lists of posts."""

from collections.abc import Iterable

from demo.mattermost.attachments import without_targets
from demo.mattermost.entities import FileInfo, Post, Reaction
from demo.mattermost.shapes import Shape
from demo.mattermost.state import State


def file_shape(state: State, info: FileInfo) -> Shape:
    """Return a file's JSON; like Go's omitempty, it omits an empty post_id and picture size."""
    shape: Shape = {"id": info.id, "user_id": info.user_id}
    if info.post_id:
        shape["post_id"] = info.post_id
    shape |= {
        "channel_id": info.channel_id,
        "create_at": info.create_at,
        "update_at": info.update_at,
        "delete_at": info.delete_at,
        "name": info.name,
        "extension": info.extension,
        "size": info.size,
        "mime_type": info.mime_type,
    }
    if info.width:
        shape |= {"width": info.width, "height": info.height, "has_preview_image": True}
    shape |= {"mini_preview": None, "remote_id": "", "archived": False}
    return state.version.shaped("file", shape)


def reaction_shape(state: State, reaction: Reaction) -> Shape:
    """Return a reaction's JSON."""
    shape = {
        "user_id": reaction.user_id,
        "post_id": reaction.post_id,
        "emoji_name": reaction.emoji_name,
        "create_at": reaction.create_at,
        "update_at": reaction.create_at,
        "delete_at": 0,
        "remote_id": "",
        "channel_id": state.posts[reaction.post_id].channel_id,
    }
    return state.version.shaped("reaction", shape)


def files_of(state: State, post: Post) -> list[FileInfo]:
    """Return the files of a post in the order of their upload."""
    infos = (state.files[file_id] for file_id in post.file_ids)
    listed = sorted(infos, key=lambda info: info.create_at)
    return listed[: len(listed) // 2] if post.id in state.half_listed else listed


def post_shape(
    state: State, post: Post, *, pending_post_id: str = "", with_reply_count: bool = True
) -> Shape:
    """Return a post's JSON with its metadata; a deleted post is blank."""
    live = post.delete_at == 0
    thread = post.root_id or post.id
    shape: Shape = {
        "id": post.id,
        "create_at": post.create_at,
        "update_at": post.update_at,
        "edit_at": post.edit_at,
        "delete_at": post.delete_at,
        "is_pinned": post.is_pinned,
        "user_id": post.user_id,
        "channel_id": post.channel_id,
        "root_id": post.root_id,
        "original_id": post.original_id,
        "message": post.message if live else "",
        "type": post.type,
        "props": without_targets(post.props),
        "hashtags": post.hashtags,
        "file_ids": list(post.file_ids),
        "pending_post_id": pending_post_id,
        "remote_id": "",
    }
    if state.reactions.get(post.id):
        shape["has_reactions"] = True
    shape |= {
        "reply_count": state.reply_counts.get(thread, 0) if with_reply_count else 0,
        "last_reply_at": 0,
        "participants": None,
        "metadata": _metadata(state, post) if live else {},
    }
    return state.version.shaped("post", shape)


def _metadata(state: State, post: Post) -> Shape:
    metadata: Shape = {}
    if "attachments" in post.props:
        metadata["embeds"] = [{"type": "message_attachment"}]
    if post.file_ids:
        metadata["files"] = [file_shape(state, info) for info in files_of(state, post)]
    if reactions := state.reactions.get(post.id):
        metadata["reactions"] = [reaction_shape(state, r) for r in reactions.values()]
    if post.priority is not None:
        metadata["priority"] = {
            "priority": post.priority,
            "requested_ack": None,
            "persistent_notifications": None,
            "PostId": post.id,
            "ChannelId": post.channel_id,
        }
    return metadata


def post_list_shape(
    state: State,
    order: Iterable[Post],
    *,
    with_reply_count: bool = True,
    next_post_id: str = "",
    prev_post_id: str = "",
    has_next: bool = False,
    kind: str = "post_list",
) -> Shape:
    """Return the JSON of a list of posts, to which `posts` adds the roots of listed replies."""
    listed = list(order)
    roots = [state.posts[post.root_id] for post in listed if post.root_id in state.posts]
    live_roots = [root for root in roots if not root.delete_at]
    shape = {
        "order": [post.id for post in listed],
        "posts": {
            post.id: post_shape(state, post, with_reply_count=with_reply_count)
            for post in [*listed, *live_roots]
        },
        "next_post_id": next_post_id,
        "prev_post_id": prev_post_id,
        "has_next": has_next,
        "first_inaccessible_post_time": 0,
    }
    return state.version.shaped(kind, shape)
