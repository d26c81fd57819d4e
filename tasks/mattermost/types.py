"""The server's answers as frozen dataclasses.

Each ``parse`` takes decoded JSON and raises ``ShapeError`` if the JSON has another shape. Absent
and null values become empty values, since versions differ in what they leave out. Ids are required.
Times are Unix milliseconds, and 0 stands for never. Lengths are Mattermost's own limits.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tasks.mattermost.shape import (
    Parsed,
    ShapeError,
    array,
    count,
    fields_of,
    flag,
    line,
    media_type,
    moment_ms,
    optional_id,
    required,
    size,
    switch,
    text,
    typed,
    wire,
)

# The limits of a server that does not name them: the length of a post in every supported version
# (an old database may take less), and MaxFileSize's default.
DEFAULT_MAX_POST_LENGTH = 16_383
DEFAULT_MAX_FILE_BYTES = 100 * 1024 * 1024
# The bounds for the limits that a server names. Old servers took 4,000 characters, and no column
# for posts holds more than 65,535. Files larger than 1 GiB are not transferred to any server.
LEAST_POST_LENGTH = 4_000
MAX_POST_LENGTH = 65_535
MAX_FILE_BYTES = 1024 * 1024 * 1024
# The most files of one post.
MAX_FILES = 10
# The most posts in one answer of a server.
MAX_POSTS = 1_000

_MANY = 100
_id = required(optional_id)
_name = line(64)


@dataclass(frozen=True, slots=True)
class FileInfo(Parsed):
    """An uploaded file."""

    id: str = wire(_id)
    name: str = wire(line(256))
    size_bytes: int = wire(size, "size")
    mime_type: str = wire(media_type)
    user_id: str = wire(optional_id)
    post_id: str = wire(optional_id)
    delete_at_ms: int = wire(moment_ms, "delete_at")


def _file(data: object) -> FileInfo | None:
    """Return a file of a post, or None if it cannot be read; ``file_ids`` still names the file."""
    try:
        return FileInfo.parse(data)
    except ShapeError:
        return None


def _files(metadata: Any) -> tuple[FileInfo, ...]:
    fields: dict[str, Any] = typed(metadata, {})
    found: tuple[FileInfo, ...] = array(_file, limit=MAX_FILES)(fields.get("files"))
    return found


@dataclass(frozen=True, slots=True)
class Post(Parsed):
    """A post. The server sorts ``file_ids``; ``files`` keeps the order of upload."""

    id: str = wire(_id)
    channel_id: str = wire(_id)
    user_id: str = wire(optional_id)
    root_id: str = wire(optional_id)
    message: str = wire(text(MAX_POST_LENGTH), repr=False)
    create_at_ms: int = wire(moment_ms, "create_at")
    update_at_ms: int = wire(moment_ms, "update_at")
    delete_at_ms: int = wire(moment_ms, "delete_at")
    original_id: str = wire(optional_id)
    type: str = wire(line(64))
    props: Mapping[str, Any] = wire(lambda value: typed(value, {}), repr=False)
    file_ids: tuple[str, ...] = wire(array(optional_id, limit=MAX_FILES))
    files: tuple[FileInfo, ...] = wire(_files, "metadata", repr=False)


@dataclass(frozen=True, slots=True)
class Member(Parsed):
    """A person or a bot. ``email`` is empty if the server hides it. The repr shows no names."""

    id: str = wire(_id)
    username: str = wire(required(_name), repr=False)
    email: str = wire(line(320), repr=False)
    first_name: str = wire(_name, repr=False)
    last_name: str = wire(_name, repr=False)
    nickname: str = wire(_name, repr=False)
    is_bot: bool = wire(flag)
    delete_at_ms: int = wire(moment_ms, "delete_at")


@dataclass(frozen=True, slots=True)
class Team(Parsed):
    """A Mattermost team. ``name`` is the name in its URL."""

    id: str = wire(_id)
    name: str = wire(required(_name))
    display_name: str = wire(_name)
    delete_at_ms: int = wire(moment_ms, "delete_at")


@dataclass(frozen=True, slots=True)
class Channel(Parsed):
    """A channel, archived if it has ``delete_at_ms``.

    ``type`` is O (public), P (private), D (direct) or G (group).
    """

    id: str = wire(_id)
    team_id: str = wire(optional_id)
    type: str = wire(_id)
    # A direct channel's name is made of two ids, so it is longer than other names.
    name: str = wire(line(128))
    display_name: str = wire(line(128))
    delete_at_ms: int = wire(moment_ms, "delete_at")


@dataclass(frozen=True, slots=True)
class Membership(Parsed):
    """A user's membership of a channel."""

    channel_id: str = wire(_id)
    user_id: str = wire(_id)


@dataclass(frozen=True, slots=True)
class TeamMembership(Parsed):
    """A user's membership of a Mattermost team; it has ``delete_at_ms`` once the user has left."""

    team_id: str = wire(_id)
    user_id: str = wire(_id)
    delete_at_ms: int = wire(moment_ms, "delete_at")


@dataclass(frozen=True, slots=True)
class OutgoingWebhook(Parsed):
    """An outgoing webhook. The repr does not show its token."""

    id: str = wire(_id)
    token: str = wire(optional_id, repr=False)
    team_id: str = wire(optional_id)
    channel_id: str = wire(optional_id)
    display_name: str = wire(_name)
    callback_urls: tuple[str, ...] = wire(array(line(1024), limit=_MANY))
    content_type: str = wire(media_type)
    trigger_words: tuple[str, ...] = wire(array(line(1024), limit=_MANY))
    delete_at_ms: int = wire(moment_ms, "delete_at")


@dataclass(frozen=True, slots=True)
class ClientConfig(Parsed):
    """The server's settings for clients, with defaults for what an old server does not send."""

    version: str = wire(required(line(64)), "Version")
    max_post_length: int = wire(
        count(default=DEFAULT_MAX_POST_LENGTH, least=LEAST_POST_LENGTH, most=MAX_POST_LENGTH),
        "MaxPostSize",
    )
    max_file_size_bytes: int = wire(
        count(default=DEFAULT_MAX_FILE_BYTES, least=1, most=MAX_FILE_BYTES), "MaxFileSize"
    )
    uploads_enabled: bool = wire(switch(default=True), "EnableFileAttachments")
    outgoing_webhooks_enabled: bool = wire(switch(default=True), "EnableOutgoingWebhooks")
    show_email_address: bool = wire(switch(default=False), "ShowEmailAddress")
    # disabled, default_off, default_on or always_on; empty: the server does not name it.
    collapsed_threads: str = wire(line(64), "CollapsedThreads")
    post_usernames_enabled: bool = wire(switch(default=False), "EnablePostUsernameOverride")
    post_icons_enabled: bool = wire(switch(default=False), "EnablePostIconOverride")
    # How many seconds a message may be edited; -1: always; empty: the server does not name it.
    post_edit_time_limit: str = wire(line(64), "PostEditTimeLimit")

    @property
    def allows_author_override(self) -> bool:
        """Whether a post may override the name and the icon of its author."""
        return self.post_usernames_enabled and self.post_icons_enabled

    @property
    def allows_edits(self) -> bool:
        """Whether a message may be edited at any time."""
        return self.post_edit_time_limit in {"", "-1"}


def parse_posts(data: object) -> list[Post]:
    """Return the posts of a list, in the server's order.

    Raises:
        ShapeError: the JSON has another shape.
    """
    fields = fields_of(data)
    if not isinstance(fields.get("order"), list):
        raise ShapeError("order is missing")
    # `posts` also holds the root posts of replies; only the posts in `order` were asked for.
    posts: dict[str, Any] = typed(fields.get("posts"), {})
    try:
        return [Post.parse(posts[post_id]) for post_id in fields["order"][:MAX_POSTS]]
    except (KeyError, TypeError):
        raise ShapeError("a post of the order is missing") from None


def parse_uploaded(data: object) -> FileInfo:
    """Return the file of the answer to an upload of one file.

    Raises:
        ShapeError: the JSON has another shape.
    """
    infos: list[Any] = typed(fields_of(data).get("file_infos"), [])
    if len(infos) != 1:
        raise ShapeError("file_infos does not hold one file")
    return FileInfo.parse(infos[0])


def parse_status(data: object) -> str:
    """Return the status word of an answer that holds nothing else, for example "OK".

    Raises:
        ShapeError: the JSON has another shape.
    """
    status: str = required(line(64))(fields_of(data).get("status"))
    return status
