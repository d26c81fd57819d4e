"""Checks of who is notified of a visitor's messages, and of the names in a thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from models import Licence, Names
from tasks.checks.check import Check, attempt, passed, warned
from tasks.licences.mention import mentioned_members
from tasks.mattermost import ClientConfig, MattermostClient, Reason, RefusedError

Found = TypeVar("Found")

# What each value of CollapsedThreads means for a visitor's further messages.
_UNKNOWN = "the server does not say; docs/mattermost.md says what each setting means"
_WHAT_FOLLOWS = {
    "disabled": "members are told of a visitor's messages as of any other",
    "default_off": "members are told of a visitor's messages, unless they have switched it on",
    "default_on": "only who follows a thread is told of further messages, unless they have "
    "switched it off",
    "always_on": "only who follows a thread is told of a visitor's further messages",
}
# With these values, a member who has changed nothing is not notified.
_COLLAPSED = frozenset({"default_on", "always_on"})
_NAME_MEMBERS = (
    "Name members, who then follow each conversation: ireserve-mattermost licence edit LICENCE "
    "--mention @MEMBER, or --mention @channel for all."
)
_NAME_AGAIN = "Give all names again: ireserve-mattermost licence edit LICENCE --mention @MEMBER."
_SWITCHES = (
    "System Console > Integrations > Integration Management > Enable integrations to override "
    "usernames, and the same for profile picture icons"
)


def check_speaking(client: MattermostClient, licence: Licence, config: ClientConfig) -> list[Check]:
    """Return the checks of the licence's ``mention`` and ``names`` on its server."""
    members = mentioned_members(licence.mention)
    return [
        judge_threads(config, mention=licence.mention),
        *[check_member(client, licence, member) for member in members],
        judge_names(config, licence.names),
    ]


def judge_threads(config: ClientConfig, *, mention: str) -> Check:
    """Return who is notified of a visitor's further messages."""
    follows = _WHAT_FOLLOWS.get(config.collapsed_threads, _UNKNOWN)
    setting = config.collapsed_threads or "not told"
    sentence = f"collapsed reply threads ({setting}): {follows}"
    if mention:
        return passed("threads", f"{sentence}; each conversation's root mentions {mention}")
    if config.collapsed_threads in _COLLAPSED:
        return warned("threads", f"{sentence}, and no member is mentioned on a root", _NAME_MEMBERS)
    return passed("threads", sentence)


def check_member(client: MattermostClient, licence: Licence, username: str) -> Check:
    """Check whether a mentioned member exists, is active, and is in the channel."""
    name = f"mention @{username}"
    return attempt(name, lambda: _check_member(client, licence, name, username))


def _check_member(client: MattermostClient, licence: Licence, name: str, username: str) -> Check:
    channel, team = f"~{licence.default_channel_name}", licence.team_name
    user = _found(lambda: client.get_user_by_username(username))
    if user is None:
        return warned(name, f"there is no user @{username}: no member is told by it", _NAME_AGAIN)
    if user.delete_at_ms:
        return warned(name, f"@{username} is deactivated, and is told of nothing", _NAME_AGAIN)
    if user.is_bot:
        return warned(name, f"@{username} is a bot, which reads no notification", _NAME_AGAIN)
    if _found(lambda: client.get_membership(licence.default_channel_id, user_id=user.id)):
        return passed(name, f"@{username} is in channel {channel}, and is told")
    in_team = _found(lambda: client.get_team_membership(licence.team_id, user_id=user.id))
    if in_team and not in_team.delete_at_ms:
        return warned(
            name,
            f"@{username} is not in channel {channel}, and is not told",
            f"In Mattermost, invite @{username} to channel {channel}.",
        )
    return warned(
        name,
        f"@{username} is not in team {team}, and is not told",
        f"In Mattermost, invite @{username} to team {team}, then to channel {channel}.",
    )


def _found(ask: Callable[[], Found]) -> Found | None:
    """Return what ``ask`` fetches; None: the server has no such object."""
    try:
        return ask()
    except RefusedError as error:
        if error.reason is Reason.NOT_FOUND:
            return None
        raise


def judge_names(config: ClientConfig, names: Names) -> Check:
    """Return how posts on this server show the names of visitor and agent."""
    if names is Names.HEADER and config.allows_author_override:
        return passed(
            "names",
            "a line above each text says who speaks; this server also shows visitor and agent as "
            "the posts' authors: ireserve-mattermost licence edit LICENCE --names author",
        )
    if names is Names.HEADER:
        return passed("names", "a line above each text says who speaks")
    if config.allows_author_override:
        return passed("names", "visitor and agent are the authors of their posts")
    return warned(
        "names",
        "the server does not show names and icons of a post's own (any more): a line above each "
        "text says who speaks, and posts without that line show the bot's name",
        f"Switch on {_SWITCHES}; or: ireserve-mattermost licence edit LICENCE --names header.",
    )
