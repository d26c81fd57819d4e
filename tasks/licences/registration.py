"""Register a licence: everything is tried on its Mattermost before anything is stored."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from models import Database, KeyRing, Licence, NotificationChannel
from tasks.mattermost import (
    Channel,
    ClientConfig,
    MattermostClient,
    Reason,
    RefusedError,
    Team,
    User,
)


class RegistrationError(Exception):
    """The licence cannot be registered as it is; the message names the object and the cure."""


@dataclass(frozen=True, slots=True)
class LicenceOrder:
    """What an operator tells of a licence; names, not ids, as they stand in Mattermost's URLs."""

    licence_id: str
    server_url: str
    team: str
    channel: str
    token: str = field(repr=False)


def register_licence(
    order: LicenceOrder, *, client: MattermostClient, database: Database, keyring: KeyRing
) -> Licence:
    """Try the server, the token, the team and the channel, then store the licence.

    A licence that exists already is brought up to date.

    Raises:
        RegistrationError: something on the Mattermost side is not as it should be.
        MattermostError: the server cannot be used at all.
    """
    bot = _bot(client)
    team = client.get_team_by_name(order.team)
    channel = find_channel(client, order.team, order.channel, bot_username=bot.username)
    config = client.get_client_config()
    with database.transaction() as session:
        licence = store_licence(
            session, order, bot=bot, team=team, channel=channel, config=config, keyring=keyring
        )
        licence.enabled = True
    return licence


def store_licence(
    session: Session,
    order: LicenceOrder,
    *,
    bot: User,
    team: Team,
    channel: Channel,
    config: ClientConfig,
    keyring: KeyRing,
) -> Licence:
    """Store what was found; a licence that exists is brought up to date, as enabled as it was."""
    licence = session.get(Licence, order.licence_id) or Licence(id=order.licence_id)
    licence.server_url = order.server_url.rstrip("/")
    licence.team_id, licence.team_name = team.id, team.name
    licence.default_channel_id, licence.default_channel_name = channel.id, channel.name
    licence.bot_user_id, licence.bot_username = bot.id, bot.username
    licence.bot_token_encrypted = keyring.encrypt(order.token)
    licence.max_post_size = config.max_post_length
    licence.max_file_size_bytes = config.max_file_size_bytes
    session.add(licence)
    session.flush()
    return licence


def _bot(client: MattermostClient) -> User:
    user = client.get_me()
    if not user.is_bot:
        raise RegistrationError(
            f"the token belongs to @{user.username}, which is a person's account: make a bot "
            "account (Integrations > Bot Accounts) and use its token"
        )
    return user


def find_channel(client: MattermostClient, team: str, name: str, *, bot_username: str) -> Channel:
    """Return the channel with this handle, in which the bot is a member.

    Raises:
        RegistrationError: there is none, it is archived, or the bot is not in it.
    """
    handle = name.removeprefix("~")
    invite = f"invite the bot @{bot_username} to channel ~{handle}"
    try:
        channel = client.get_channel_by_name(team=team, channel=handle)
        client.get_my_membership(channel.id)
    except RefusedError as error:
        if error.reason is Reason.CHANNEL_UNKNOWN or error.reason is Reason.NOT_FOUND:
            raise RegistrationError(
                f"team {team} has no channel ~{handle} that the bot can see: check the name in "
                f"the channel's URL, and if the channel is private, {invite}"
            ) from None
        if error.reason is Reason.NOT_A_MEMBER:
            raise RegistrationError(f"the bot is not in channel ~{handle}: {invite}") from None
        raise
    if channel.delete_at_ms:
        raise RegistrationError(f"the channel ~{handle} is archived: unarchive it or take another")
    return channel


def map_notification(
    session: Session, licence: Licence, notification_type: str, *, channel: Channel
) -> None:
    """Send the licence's notifications of this type to the channel from now on."""
    mapping = _mapping(session, licence, notification_type)
    mapping.channel_id, mapping.channel_name, mapping.enabled = channel.id, channel.name, True


def switch_notification_off(session: Session, licence: Licence, notification_type: str) -> None:
    """Send no notifications of this type for the licence from now on."""
    _mapping(session, licence, notification_type).enabled = False


def _mapping(session: Session, licence: Licence, notification_type: str) -> NotificationChannel:
    mapping = session.get(NotificationChannel, (licence.id, notification_type))
    if mapping is None:
        mapping = NotificationChannel(
            licence_id=licence.id,
            notification_type=notification_type,
            channel_id=licence.default_channel_id,
            channel_name=licence.default_channel_name,
        )
        session.add(mapping)
    return mapping
