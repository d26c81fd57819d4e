"""Checks of a registration on its Mattermost server, before anything is stored."""

from __future__ import annotations

from tasks.checks.bot import check_team, find_named_channel, judge_bot
from tasks.checks.check import Check, State, attempt, passed, refused
from tasks.checks.clock import check_clock
from tasks.checks.options import judge_options
from tasks.licences.registration import Found, Registration
from tasks.mattermost import Channel, ClientConfig, MattermostClient, MattermostError, Member


def judge_server(config: ClientConfig) -> Check:
    """Return a passed check with the version of the server."""
    return passed("server", f"Mattermost {config.version} answers")


def check_registration(
    registration: Registration, *, client: MattermostClient
) -> tuple[list[Check], Found | None]:
    """Return the checks, and the objects of the given names; None: messages could not be sent."""
    checks: list[Check] = []
    try:
        checks.append(judge_server(client.get_client_config()))
    except MattermostError as error:
        return [refused("server", error)], None
    found = _find(registration, client, checks)
    if found is not None:
        checks += judge_options(found.config)
    checks.append(check_clock(client.answer_headers))
    return checks, found


def _find(
    registration: Registration, client: MattermostClient, checks: list[Check]
) -> Found | None:
    """Find bot, team and channel one after the other, until a check fails."""
    try:
        bot = client.get_me()
    except MattermostError as error:
        checks.append(refused("bot", error))
        return None
    checks.append(judge_bot(bot, stored_user_id=None))
    if not bot.is_bot:
        return None
    in_team = attempt(
        "team", lambda: check_team(client, registration.team, bot_username=bot.username)
    )
    checks.append(in_team)
    channel = (
        None if in_team.state is State.FAIL else _find_channel(registration, client, bot, checks)
    )
    if channel is None:
        return None
    # Ask again, because the server shows all its settings only for a valid token.
    return Found(
        bot, client.get_team_by_name(registration.team), channel, client.get_client_config()
    )


def _find_channel(
    registration: Registration, client: MattermostClient, bot: Member, checks: list[Check]
) -> Channel | None:
    name = registration.channel
    try:
        channel, check = find_named_channel(
            client, registration.team, name, bot_username=bot.username
        )
    except MattermostError as error:
        channel, check = None, refused(f"channel ~{name.removeprefix('~')}", error)
    checks.append(check)
    return channel
