"""Try a registration on its Mattermost, and look up the licences that are registered."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Delivery, Licence
from tasks.checks.check import Check
from tasks.checks.registration import check_registration
from tasks.cli.installation import Installation
from tasks.licences.registration import Found, Registration, RegistrationError


def try_registration(
    parts: Installation, registration: Registration
) -> tuple[list[Check], Found | None]:
    """Return the checks of the registration and what they found; None: messages could not be sent.

    Raises:
        RegistrationError: the address or the token has no valid form.
        KeyRingError: there is no valid key to store the token with.
    """
    parts.keyring()
    client = parts.connect(registration.server_url, registration.token)
    return check_registration(registration, client=client)


def require_ledger(session: Session, licence_id: str) -> None:
    """Make sure that the licence is registered, or that the ledger has a message of it.

    Raises:
        RegistrationError: neither is so; the operator has probably mistyped the licence.
    """
    ledger = select(Delivery.id).where(Delivery.licence_id == licence_id).limit(1)
    if session.scalar(ledger) is None:
        require_licence(session, licence_id)


def require_licence(session: Session, licence_id: str) -> Licence:
    """Return the licence.

    Raises:
        RegistrationError: no licence with this id is registered.
    """
    licence = session.get(Licence, licence_id)
    if licence is None:
        raise no_licence(licence_id)
    return licence


def no_licence(licence_id: str) -> RegistrationError:
    """Return the error for an id with which no licence is registered."""
    return RegistrationError(
        f"no licence {licence_id!r} is registered: see ireserve-mattermost licence list"
    )
