"""Prepare the list of threads and the badges that the page shows to one member."""

from dataclasses import dataclass
from datetime import UTC, datetime

from demo.mattermost.entities import User
from demo.mattermost.markup import message_html
from demo.mattermost.options import Options
from demo.mattermost.state import State
from demo.mattermost.threads import FollowedThread, followed_threads
from demo.mattermost.unread import unread_of

# The list shows at most two lines of a root's message, of about 70 characters each.
LINES_SHOWN = 2
LINE_LENGTH = 70


@dataclass(frozen=True, slots=True)
class Row:
    """One thread in the list, which shows no attachments."""

    root_id: str
    author: str
    channel: str
    address: str
    preview: str
    replies: int
    unread: int
    mentions: int
    time: datetime


@dataclass(frozen=True, slots=True)
class Badge:
    """Whether the name is bold, and the number of mentions beside it."""

    is_unread: bool
    mentions: int


def rows_of(state: State, user: User, team_id: str) -> list[Row]:
    """Return the rows of a member's followed threads in a team, the newest reply first."""
    return [_row(state, thread) for thread in followed_threads(state, user.id, team_id)]


def _row(state: State, thread: FollowedThread) -> Row:
    root = thread.root
    author, channel = state.users[root.user_id], state.channels[root.channel_id]
    own_name = root.props.get("override_username")
    full_name = f"{author.first_name} {author.last_name}".strip() or author.username
    return Row(
        root_id=root.id,
        # The list shows a post's own name even if the server's setting does not allow one.
        author=own_name if isinstance(own_name, str) and own_name else full_name,
        channel=channel.display_name,
        address=f"/{state.teams[channel.team_id].name}/channels/{channel.name}",
        preview=preview(message_html(root.message).striptags()),
        replies=len(thread.replies),
        unread=thread.unread_replies,
        mentions=thread.unread_mentions,
        time=datetime.fromtimestamp(thread.last_reply_at / 1000, UTC),
    )


def preview(text: str) -> str:
    """Return a message as one line of text, cut to the length of two shown lines."""
    joined = " ".join(text.split())
    limit = LINES_SHOWN * LINE_LENGTH
    return joined if len(joined) <= limit else joined[: limit - 1].rstrip() + "…"


def badges_of(state: State, user: User, options: Options) -> dict[str, Badge]:
    """Return a member's badges by channel id, and by team id for the list of threads."""
    badges = {}
    for channel_id, members in state.channel_members.items():
        if user.id in members:
            badges[channel_id] = _channel_badge(state, user, channel_id, options)
    for team in state.teams_of(user.id) if options.threads_are_collapsed else ():
        threads = followed_threads(state, user.id, team.id)
        mentions = sum(thread.unread_mentions for thread in threads)
        badges[team.id] = Badge(any(thread.unread_replies for thread in threads), mentions)
    return badges


def _channel_badge(state: State, user: User, channel_id: str, options: Options) -> Badge:
    """Return a channel's badge; replies count only if threads are not collapsed."""
    new = unread_of(state, state.channel_members[channel_id][user.id])
    if options.threads_are_collapsed:
        return Badge(new.roots > 0, new.root_mentions)
    return Badge(new.messages > 0, new.mentions)
