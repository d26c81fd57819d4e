"""What the server answers, as frozen dataclasses, parsed once at the edge.

Each `parse` takes decoded JSON and raises `ShapeError` when it is not what it should be. Absent and
null values become the empty ones, since versions differ in what they leave out; ids must be there.
Times are Unix milliseconds, 0 for never.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from tasks.mattermost.shape import ShapeError, count_of, fields_of, required, texts_of, value_of

# What a server has that does not say: the floor of every version, and the default of MaxFileSize.
DEFAULT_MAX_POST_LENGTH = 16_383
DEFAULT_MAX_FILE_BYTES = 100 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class FileInfo:
    """An uploaded file."""

    id: str
    name: str
    size_bytes: int
    mime_type: str
    extension: str
    has_preview_image: bool
    user_id: str
    post_id: str
    delete_at_ms: int

    @classmethod
    def parse(cls, data: object) -> Self:
        """A file from its JSON."""
        fields = fields_of(data)
        return cls(
            id=required(fields, "id"),
            name=value_of(fields, "name", ""),
            size_bytes=value_of(fields, "size", 0),
            mime_type=value_of(fields, "mime_type", ""),
            extension=value_of(fields, "extension", ""),
            has_preview_image=value_of(fields, "has_preview_image", False),
            user_id=value_of(fields, "user_id", ""),
            post_id=value_of(fields, "post_id", ""),
            delete_at_ms=value_of(fields, "delete_at", 0),
        )


@dataclass(frozen=True, slots=True)
class Post:
    """A post. `file_ids` come sorted by the server; `files` keeps the order of upload."""

    id: str
    channel_id: str
    user_id: str
    root_id: str
    message: str = field(repr=False)
    create_at_ms: int
    update_at_ms: int
    edit_at_ms: int
    delete_at_ms: int
    original_id: str
    type: str
    props: Mapping[str, Any] = field(repr=False)
    file_ids: tuple[str, ...]
    files: tuple[FileInfo, ...] = field(repr=False)
    pending_post_id: str

    @classmethod
    def parse(cls, data: object) -> Self:
        """A post from its JSON."""
        fields = fields_of(data)
        metadata: dict[str, Any] = value_of(fields, "metadata", {})
        return cls(
            id=required(fields, "id"),
            channel_id=required(fields, "channel_id"),
            user_id=value_of(fields, "user_id", ""),
            root_id=value_of(fields, "root_id", ""),
            message=value_of(fields, "message", ""),
            create_at_ms=value_of(fields, "create_at", 0),
            update_at_ms=value_of(fields, "update_at", 0),
            edit_at_ms=value_of(fields, "edit_at", 0),
            delete_at_ms=value_of(fields, "delete_at", 0),
            original_id=value_of(fields, "original_id", ""),
            type=value_of(fields, "type", ""),
            props=value_of(fields, "props", {}),
            file_ids=texts_of(fields, "file_ids"),
            files=tuple(map(FileInfo.parse, value_of(metadata, "files", []))),
            pending_post_id=value_of(fields, "pending_post_id", ""),
        )


@dataclass(frozen=True, slots=True)
class User:
    """A user or a bot. `email` is empty where the server hides it; names stay out of the repr."""

    id: str
    username: str = field(repr=False)
    email: str = field(repr=False)
    first_name: str = field(repr=False)
    last_name: str = field(repr=False)
    nickname: str = field(repr=False)
    is_bot: bool
    roles: str
    delete_at_ms: int

    @classmethod
    def parse(cls, data: object) -> Self:
        """A user from their JSON."""
        fields = fields_of(data)
        return cls(
            id=required(fields, "id"),
            username=required(fields, "username"),
            email=value_of(fields, "email", ""),
            first_name=value_of(fields, "first_name", ""),
            last_name=value_of(fields, "last_name", ""),
            nickname=value_of(fields, "nickname", ""),
            is_bot=value_of(fields, "is_bot", False),
            roles=value_of(fields, "roles", ""),
            delete_at_ms=value_of(fields, "delete_at", 0),
        )


@dataclass(frozen=True, slots=True)
class Team:
    """A team; `name` is the one in its URL."""

    id: str
    name: str
    display_name: str
    delete_at_ms: int

    @classmethod
    def parse(cls, data: object) -> Self:
        """A team from its JSON."""
        fields = fields_of(data)
        return cls(
            id=required(fields, "id"),
            name=required(fields, "name"),
            display_name=value_of(fields, "display_name", ""),
            delete_at_ms=value_of(fields, "delete_at", 0),
        )


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel; `type` is O (public), P (private), D or G (direct). Archived: `delete_at_ms`."""

    id: str
    team_id: str
    type: str
    name: str
    display_name: str
    delete_at_ms: int

    @classmethod
    def parse(cls, data: object) -> Self:
        """A channel from its JSON."""
        fields = fields_of(data)
        return cls(
            id=required(fields, "id"),
            team_id=value_of(fields, "team_id", ""),
            type=required(fields, "type"),
            name=value_of(fields, "name", ""),
            display_name=value_of(fields, "display_name", ""),
            delete_at_ms=value_of(fields, "delete_at", 0),
        )


@dataclass(frozen=True, slots=True)
class Membership:
    """That a user is in a channel, and with which roles."""

    channel_id: str
    user_id: str
    roles: str

    @classmethod
    def parse(cls, data: object) -> Self:
        """A membership from its JSON."""
        fields = fields_of(data)
        return cls(
            channel_id=required(fields, "channel_id"),
            user_id=required(fields, "user_id"),
            roles=value_of(fields, "roles", ""),
        )


@dataclass(frozen=True, slots=True)
class OutgoingWebhook:
    """An outgoing webhook. Its token stays out of the repr."""

    id: str
    token: str = field(repr=False)
    team_id: str
    channel_id: str
    creator_id: str
    display_name: str
    callback_urls: tuple[str, ...]
    content_type: str
    trigger_words: tuple[str, ...]
    delete_at_ms: int

    @classmethod
    def parse(cls, data: object) -> Self:
        """An outgoing webhook from its JSON."""
        fields = fields_of(data)
        return cls(
            id=required(fields, "id"),
            token=value_of(fields, "token", ""),
            team_id=value_of(fields, "team_id", ""),
            channel_id=value_of(fields, "channel_id", ""),
            creator_id=value_of(fields, "creator_id", ""),
            display_name=value_of(fields, "display_name", ""),
            callback_urls=texts_of(fields, "callback_urls"),
            content_type=value_of(fields, "content_type", ""),
            trigger_words=texts_of(fields, "trigger_words"),
            delete_at_ms=value_of(fields, "delete_at", 0),
        )


@dataclass(frozen=True, slots=True)
class ClientConfig:
    """What the server lets its clients know; defaults where an old server does not say."""

    version: str
    site_url: str
    max_post_length: int
    max_file_size_bytes: int
    uploads_enabled: bool
    outgoing_webhooks_enabled: bool
    username_override_enabled: bool
    icon_override_enabled: bool
    show_email_address: bool
    require_email_verification: bool
    # disabled, default_off, default_on or always_on; empty: the server does not say.
    collapsed_threads: str

    @classmethod
    def parse(cls, data: object) -> Self:
        """The client config from its flat map of strings."""
        fields = fields_of(data)
        return cls(
            version=required(fields, "Version"),
            site_url=value_of(fields, "SiteURL", ""),
            max_post_length=count_of(fields, "MaxPostSize", DEFAULT_MAX_POST_LENGTH),
            max_file_size_bytes=count_of(fields, "MaxFileSize", DEFAULT_MAX_FILE_BYTES),
            uploads_enabled=value_of(fields, "EnableFileAttachments", "true") == "true",
            outgoing_webhooks_enabled=value_of(fields, "EnableOutgoingWebhooks", "true") == "true",
            username_override_enabled=value_of(fields, "EnablePostUsernameOverride", "") == "true",
            icon_override_enabled=value_of(fields, "EnablePostIconOverride", "") == "true",
            show_email_address=value_of(fields, "ShowEmailAddress", "") == "true",
            require_email_verification=value_of(fields, "RequireEmailVerification", "") == "true",
            collapsed_threads=value_of(fields, "CollapsedThreads", ""),
        )


def parse_posts(data: object) -> list[Post]:
    """The posts of a list answer that match the question, in the server's order."""
    fields = fields_of(data)
    # `posts` also holds the roots of the replies found; only what `order` names was asked for.
    posts: dict[str, Any] = value_of(fields, "posts", {})
    try:
        return [
            Post.parse(posts[post_id]) for post_id in texts_of(fields, "order", must_exist=True)
        ]
    except KeyError:
        raise ShapeError("a post of the order is missing") from None


def parse_uploaded(data: object) -> FileInfo:
    """The one file of the answer to an upload of one file."""
    infos: list[Any] = value_of(fields_of(data), "file_infos", [])
    if len(infos) != 1:
        raise ShapeError("file_infos does not hold one file")
    return FileInfo.parse(infos[0])


def parse_status(data: object) -> str:
    """The status word of an answer that is nothing else, such as OK."""
    return required(fields_of(data), "status")
