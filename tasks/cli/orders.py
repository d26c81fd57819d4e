"""An operator's order for a licence: tried on its Mattermost, then stored."""

from __future__ import annotations

from sqlalchemy.orm import Session

from models import KeyRing, Licence
from tasks.checks.check import Check
from tasks.checks.prospect import Found, examine_order
from tasks.cli.installation import Installation
from tasks.licences.registration import LicenceOrder, RegistrationError, store_licence


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
    return store_licence(
        session,
        order,
        bot=found.bot,
        team=found.team,
        channel=found.channel,
        config=found.config,
        keyring=keyring,
    )


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
