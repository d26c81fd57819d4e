"""A registration as an operator gives it, tried on its Mattermost; and the licences that exist."""

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
    """Return what was found on its Mattermost; None: messages could not be sent.

    Raises:
        RegistrationError: the address or the token cannot be one.
        KeyRingError: the token could not be stored.
    """
    parts.keyring()
    client = parts.connect(registration.server_url, registration.token)
    return check_registration(registration, client=client)


def require_ledger(session: Session, licence_id: str) -> None:
    """Make sure that the licence is registered, or that messages of it were sent or failed.

    Raises:
        RegistrationError: there is neither: the operator has mistyped it.
    """
    ledger = select(Delivery.id).where(Delivery.licence_id == licence_id).limit(1)
    if session.scalar(ledger) is None:
        require_licence(session, licence_id)


def require_licence(session: Session, licence_id: str) -> Licence:
    """Return the licence.

    Raises:
        RegistrationError: there is none with this id.
    """
    licence = session.get(Licence, licence_id)
    if licence is None:
        raise no_licence(licence_id)
    return licence


def no_licence(licence_id: str) -> RegistrationError:
    """Return the error that there is no licence with this id."""
    return RegistrationError(
        f"no licence {licence_id!r} is registered: see ireserve-mattermost licence list"
    )
