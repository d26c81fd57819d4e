"""Checks of the bot: its account, its team and its channels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tasks.checks.check import Check, State, failed, passed, warned
from tasks.mattermost import Channel, MattermostClient, Member, Reason, RefusedError

PRIVATE = "P"
_PRIVATE_CURE = "No cure is needed; in a public channel replies come within a second."


def judge_bot(user: Member, *, stored_user_id: str | None) -> Check:
    """Return whether the token's user is a bot, and the licence's bot.

    ``stored_user_id`` is the licence's bot; None: the licence is not registered yet.
    """
    if not user.is_bot:
        return failed(
            "bot",
            f"the token belongs to @{user.username}, which is a person's account",
            "Make a bot account (Integrations > Bot Accounts) and store its token.",
        )
    if stored_user_id is not None and user.id != stored_user_id:
        return failed(
            "bot",
            f"the token belongs to @{user.username}, which is another bot than the licence's: "
            "its posts would come back as replies",
            "Store the right token, or this bot for good: ireserve-mattermost licence edit "
            "LICENCE --token-file FILE.",
        )
    return passed("bot", f"the token is valid and belongs to the bot @{user.username}")


def check_team(client: MattermostClient, team: str, *, bot_username: str) -> Check:
    """Check whether the bot is in the team.

    Raises:
        MattermostError: the server gives another error.
    """
    try:
        client.get_team_by_name(team)
    except RefusedError as error:
        if error.reason is Reason.NOT_A_MEMBER:
            return failed(
                "team",
                f"the bot is not in team {team} ({error.reason.value})",
                f"Add the bot @{bot_username} to the team.",
            )
        if error.reason is Reason.NOT_FOUND:
            return failed(
                "team",
                f"there is no team {team} ({error.reason.value})",
                "Take the team's name from its URL.",
            )
        raise
    return passed("team", f"the bot is in team {team}")


@dataclass(frozen=True, slots=True)
class UsedChannel:
    """A channel that a licence uses; ``takes_replies``: conversations have their threads there."""

    channel_id: str
    label: str
    takes_replies: bool

    @property
    def check_name(self) -> str:
        """The name of the channel's check."""
        return f"channel {self.label}"


def check_used_channel(
    client: MattermostClient,
    used: UsedChannel,
    ask: Callable[[str], Channel],
    *,
    bot_username: str,
) -> Check:
    """Check whether the bot can write in a channel of the licence; ``ask`` fetches a channel."""
    channel, finding = find_channel(
        client, used.label, lambda: ask(used.channel_id), bot_username=bot_username
    )
    if channel is not None and finding.state is State.WARN and not used.takes_replies:
        # In a channel for notifications no visitor gets an answer, so it may be private.
        return passed(used.check_name, "the bot is in this private channel")
    return finding


def find_channel(
    client: MattermostClient, label: str, ask: Callable[[], Channel], *, bot_username: str
) -> tuple[Channel | None, Check]:
    """Return the channel that ``ask`` fetches, and its check; None: the bot cannot write there."""
    name, invite = f"channel {label}", f"invite the bot @{bot_username} to channel {label}."
    try:
        channel = ask()
        client.get_my_membership(channel.id)
    except RefusedError as error:
        if error.reason in {Reason.CHANNEL_UNKNOWN, Reason.NOT_FOUND}:
            sentence = f"there is no such channel that the bot can see ({error.reason.value})"
            cure = "Check the name in the channel's URL, and if the channel is private, " + invite
            return None, failed(name, sentence, cure)
        if error.reason is Reason.NOT_A_MEMBER:
            sentence = f"the bot is not in the channel ({error.reason.value})"
            return None, failed(name, sentence, f"In Mattermost, {invite}")
        raise
    if channel.delete_at_ms:
        return None, failed(name, "the channel is archived", "Unarchive it, or take another.")
    return channel, _judge_type(name, channel)


def find_named_channel(
    client: MattermostClient, team: str, name: str, *, bot_username: str
) -> tuple[Channel | None, Check]:
    """Return the team's channel of this name (with or without ``~``), like ``find_channel``."""
    handle = name.removeprefix("~")
    return find_channel(
        client,
        f"~{handle}",
        lambda: client.get_channel_by_name(team=team, channel=handle),
        bot_username=bot_username,
    )


def _judge_type(name: str, channel: Channel) -> Check:
    if channel.type == PRIVATE:
        return warned(
            name,
            "the channel is private: replies come by catch-up, for Mattermost calls no webhook",
            _PRIVATE_CURE,
        )
    return passed(name, "the bot is in this public channel")
