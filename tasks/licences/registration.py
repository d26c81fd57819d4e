"""Store the registration of a licence, after ``tasks.checks`` has checked it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from models import Database, KeyRing, Licence, NotificationChannel
from models.licence import SERVER_WORD_LENGTH
from tasks.mattermost import Channel, ClientConfig, Member, Team


class RegistrationError(Exception):
    """The licence cannot be registered. The message names the object and the cure."""


@dataclass(frozen=True, slots=True)
class Registration:
    """What an operator gives to register a licence.

    ``team`` and ``channel`` are the names in Mattermost's URLs, not ids.
    """

    licence_id: str
    server_url: str
    team: str
    channel: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Found:
    """The objects on the Mattermost server that a registration names."""

    bot: Member
    team: Team
    channel: Channel
    config: ClientConfig


def store_licence(
    session: Session,
    registration: Registration,
    *,
    found: Found,
    keyring: KeyRing,
) -> Licence:
    """Store the licence and return it; an existing licence is updated, and stays enabled or not."""
    licence = session.get(Licence, registration.licence_id) or Licence(id=registration.licence_id)
    licence.server_url = registration.server_url.rstrip("/")
    licence.team_id, licence.team_name = found.team.id, found.team.name
    licence.default_channel_id, licence.default_channel_name = found.channel.id, found.channel.name
    licence.bot_user_id, licence.bot_username = found.bot.id, found.bot.username
    licence.bot_token_encrypted = keyring.encrypt(registration.token)
    for name, value in stored_settings(found.config).items():
        setattr(licence, name, value)
    session.add(licence)
    session.flush()
    return licence


def stored_settings(config: ClientConfig) -> dict[str, Any]:
    """Return the server's settings that are stored with a licence, by column."""
    return {
        "max_post_size": config.max_post_length,
        "max_file_size_bytes": config.max_file_size_bytes,
        "server_version": config.version[:SERVER_WORD_LENGTH],
        "collapsed_threads": config.collapsed_threads[:SERVER_WORD_LENGTH],
        "allows_own_names": config.allows_author_override,
        "allows_edits": config.allows_edits,
    }


def update_server_settings(database: Database, licence: Licence, config: ClientConfig) -> None:
    """Store the settings of the licence's server, if they have changed."""
    said = stored_settings(config)
    if all(getattr(licence, name) == value for name, value in said.items()):
        return
    with database.transaction() as session:
        session.execute(update(Licence).where(Licence.id == licence.id).values(**said))


def map_notification(
    session: Session, licence: Licence, notification_type: str, *, channel: Channel
) -> None:
    """Map the licence's notifications of this type to the channel, and enable the type."""
    mapping = _mapping(session, licence, notification_type)
    mapping.channel_id, mapping.channel_name, mapping.enabled = channel.id, channel.name, True


def switch_notification_off(session: Session, licence: Licence, notification_type: str) -> None:
    """Disable notifications of this type for the licence."""
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
