"""``keys``: the keys that encrypt bot tokens."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import KeyRing, KeyRingError, Licence
from models.keyring import new_key
from tasks.cli.installation import Installation
from tasks.cli.operator import log_change
from tasks.cli.output import show


def new() -> None:
    """Print a new key."""
    key = new_key()
    show({"key": key}, key)


def rotate() -> None:
    """Encrypt all bot tokens with the first key."""
    installation = Installation()
    keyring = installation.keyring()
    with installation.database.transaction() as session:
        count = rotate_tokens(session, keyring)
    log_change("keys rotate", bot_tokens=count)
    show({"rotated": count}, f"Bot tokens encrypted with the first key: {count}.")


def rotate_tokens(session: Session, keyring: KeyRing) -> int:
    """Encrypt each bot token with the first key; return how many tokens there are.

    Raises:
        KeyRingError: no key decrypts the token of the licence that it names. The caller must commit
            nothing.
    """
    licences = session.scalars(select(Licence).order_by(Licence.id).with_for_update()).all()
    for licence in licences:
        try:
            licence.bot_token_encrypted = keyring.rotate(licence.bot_token_encrypted)
        except KeyRingError as error:
            raise KeyRingError(f"licence {licence.id!r}: {error}; nothing was changed") from None
    return len(licences)
