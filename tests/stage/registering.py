"""Register a licence as an operator does: check everything before storing it."""

from __future__ import annotations

from models import Database, KeyRing, Licence
from settings import Settings
from tasks.checks.registration import check_registration
from tasks.licences.registration import Registration, store_licence
from tasks.runtime import connect


def register(registration: Registration, *, settings: Settings, database: Database) -> Licence:
    """Check the registration on its server, and store the licence."""
    with connect(settings, registration.server_url, registration.token) as client:
        checks, found = check_registration(registration, client=client)
    assert found is not None, checks
    keyring = KeyRing([key.get_secret_value() for key in settings.encryption_keys])
    with database.transaction() as session:
        return store_licence(session, registration, found=found, keyring=keyring)
