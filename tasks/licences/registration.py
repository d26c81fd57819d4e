"""What a licence is registered with, and how it is stored; ``tasks.checks`` tries it first."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from models import Database, KeyRing, Licence, NotificationChannel
from models.licence import SERVER_WORD_LENGTH
from tasks.mattermost import Channel, ClientConfig, Member, Team


class RegistrationError(Exception):
    """The licence cannot be registered as it is; the message names the object and the cure."""


@dataclass(frozen=True, slots=True)
class Registration:
    """What an operator tells of a licence; names, not ids, as they stand in Mattermost's URLs."""

    licence_id: str
    server_url: str
    team: str
    channel: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Found:
    """What the names of a registration stand for on its Mattermost."""

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
    """Store what was found; a licence that exists is brought up to date, as enabled as it was."""
    licence = session.get(Licence, registration.licence_id) or Licence(id=registration.licence_id)
    licence.server_url = registration.server_url.rstrip("/")
    licence.team_id, licence.team_name = found.team.id, found.team.name
    licence.default_channel_id, licence.default_channel_name = found.channel.id, found.channel.name
    licence.bot_user_id, licence.bot_username = found.bot.id, found.bot.username
    licence.bot_token_encrypted = keyring.encrypt(registration.token)
    for name, value in said_by_server(found.config).items():
        setattr(licence, name, value)
    session.add(licence)
    session.flush()
    return licence


def said_by_server(config: ClientConfig) -> dict[str, Any]:
    """Return what is stored of what a server says of itself, by the licence's column."""
    return {
        "max_post_size": config.max_post_length,
        "max_file_size_bytes": config.max_file_size_bytes,
        "server_version": config.version[:SERVER_WORD_LENGTH],
        "collapsed_threads": config.collapsed_threads[:SERVER_WORD_LENGTH],
        "allows_own_names": config.shows_own_names,
        "allows_edits": config.allows_edits,
    }


def keep_what_it_says(database: Database, licence: Licence, config: ClientConfig) -> None:
    """Store what the licence's server says of itself, if it is not what is stored."""
    said = said_by_server(config)
    if all(getattr(licence, name) == value for name, value in said.items()):
        return
    with database.transaction() as session:
        session.execute(update(Licence).where(Licence.id == licence.id).values(**said))


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
