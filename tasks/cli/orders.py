"""An operator's order for a licence: tried on its Mattermost, then stored."""

from __future__ import annotations

from sqlalchemy.orm import Session

from models import KeyRing, Licence
from tasks.checks.check import Check
from tasks.checks.prospect import Found, examine_order
from tasks.cli.installation import Installation
from tasks.registration import LicenceOrder, RegistrationError


def try_order(parts: Installation, order: LicenceOrder) -> tuple[list[Check], Found | None]:
    """Return what was found on the order's Mattermost; None: messages could not be sent.

    Raises:
        RegistrationError: the address or the token cannot be one.
        KeyRingError: the token could not be stored.
    """
    parts.keyring()
    client = parts.connect(order.server_url, order.token)
    return examine_order(order, client=client, settings=parts.settings)


def store_order(
    session: Session, order: LicenceOrder, *, found: Found, keyring: KeyRing
) -> Licence:
    """Store the licence; one that exists is brought up to date and stays as enabled as it was."""
    licence = session.get(Licence, order.licence_id) or Licence(id=order.licence_id)
    licence.server_url = order.server_url.rstrip("/")
    licence.team_id, licence.team_name = found.team.id, found.team.name
    licence.default_channel_id = found.channel.id
    licence.default_channel_name = found.channel.name
    licence.bot_user_id, licence.bot_username = found.bot.id, found.bot.username
    licence.bot_token_encrypted = keyring.encrypt(order.token)
    licence.max_post_size = found.config.max_post_length
    licence.max_file_size_bytes = found.config.max_file_size_bytes
    session.add(licence)
    session.flush()
    return licence


def require_licence(session: Session, licence_id: str) -> Licence:
    """Return the licence.

    Raises:
        RegistrationError: there is none with this id.
    """
    licence = session.get(Licence, licence_id)
    if licence is None:
        raise RegistrationError(
            f"no licence {licence_id!r} is registered: see ireserve-mattermost licence list"
        )
    return licence
