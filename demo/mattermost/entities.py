"""The records of the stand-in's state, as the journal keeps them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Props: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class User:
    """A person or a bot; the API answers that a `purged` user is unknown."""

    id: str
    create_at: int
    username: str
    email: str
    update_at: int = 0
    delete_at: int = 0
    first_name: str = ""
    last_name: str = ""
    nickname: str = ""
    roles: str = "system_user"
    is_bot: bool = False
    bot_description: str = ""
    owner_id: str = ""
    password_sha256: str = ""
    purged: bool = False


@dataclass(frozen=True, slots=True)
class Token:
    """An access token or a login of a user."""

    id: str
    token: str
    user_id: str
    description: str
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class Team:
    """A team."""

    id: str
    create_at: int
    name: str
    display_name: str
    creator_id: str


@dataclass(frozen=True, slots=True)
class TeamMember:
    """A user's membership of a team; delete_at is the time of leaving."""

    team_id: str
    user_id: str
    is_admin: bool = False
    delete_at: int = 0


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel; type O is public, P private; delete_at is the time of archiving."""

    id: str
    create_at: int
    update_at: int
    team_id: str
    name: str
    display_name: str
    creator_id: str
    type: str = "O"
    delete_at: int = 0


@dataclass(frozen=True, slots=True)
class ChannelMember:
    """A user's membership of a channel; `left` ends it.

    `seen` is the number of the channel's posts when the user last looked. A time would not do: two
    posts can fall into one millisecond. `notify_props` are the props that a user has set.
    """

    channel_id: str
    user_id: str
    last_update_at: int
    left: bool = False
    last_viewed_at: int = 0
    seen: int = 0
    notify_props: Props = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ThreadMembership:
    """Whether a user follows a thread, and what the user has seen of it.

    `seen` is the number of the thread's replies when the user last looked.
    """

    post_id: str
    user_id: str
    following: bool
    last_viewed_at: int = 0
    seen: int = 0


@dataclass(frozen=True, slots=True)
class Post:
    """A post, or (with an original_id) the earlier version of an edited post.

    `mentions` are the users named when the post was made; a name added by an edit notifies no user.
    `purged_at` is the time of permanent deletion; the API then shows no trace of the post.
    """

    id: str
    create_at: int
    update_at: int
    user_id: str
    channel_id: str
    message: str
    props: Props
    root_id: str = ""
    original_id: str = ""
    edit_at: int = 0
    delete_at: int = 0
    type: str = ""
    hashtags: str = ""
    file_ids: tuple[str, ...] = ()
    is_pinned: bool = False
    mentions: tuple[str, ...] = ()
    priority: str | None = None
    purged_at: int = 0


@dataclass(frozen=True, slots=True)
class FileInfo:
    """A file that was uploaded; post_id is empty until a post takes it."""

    id: str
    create_at: int
    update_at: int
    user_id: str
    channel_id: str
    name: str
    extension: str
    size: int
    mime_type: str
    width: int = 0
    height: int = 0
    post_id: str = ""
    delete_at: int = 0


@dataclass(frozen=True, slots=True)
class Reaction:
    """A user's emoji under a post; `removed` takes it away."""

    user_id: str
    post_id: str
    emoji_name: str
    create_at: int
    removed: bool = False


@dataclass(frozen=True, slots=True)
class Hook:
    """An outgoing webhook."""

    id: str
    token: str
    create_at: int
    update_at: int
    creator_id: str
    team_id: str
    channel_id: str = ""
    trigger_words: tuple[str, ...] | None = None
    trigger_when: int = 0
    callback_urls: tuple[str, ...] = ()
    display_name: str = ""
    description: str = ""
    content_type: str = ""
    username: str = ""
    icon_url: str = ""
    delete_at: int = 0


@dataclass(frozen=True, slots=True)
class Command:
    """A slash command."""

    id: str
    token: str
    create_at: int
    update_at: int
    creator_id: str
    team_id: str
    trigger: str
    url: str
    delete_at: int = 0


Entity: TypeAlias = (
    User
    | Token
    | Team
    | TeamMember
    | Channel
    | ChannelMember
    | ThreadMembership
    | Post
    | FileInfo
    | Reaction
    | Hook
    | Command
)
