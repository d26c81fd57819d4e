"""Secrets are encrypted with the newest key, readable with any key, and never shown."""

from __future__ import annotations

import pytest

from models import KeyRing, KeyRingError
from models.keyring import new_key


def test_secret_survives_a_rotation_of_keys() -> None:
    """After a rotation with the old and the new key, the new key alone reads the secret."""
    old, new = new_key(), new_key()
    stored = KeyRing([old]).encrypt("secret")

    rotated = KeyRing([new, old]).rotate(stored)

    assert KeyRing([new]).decrypt(rotated) == "secret"


def test_missing_key_is_told_without_the_secret() -> None:
    """The error for a missing key names the setting and not the secret."""
    stored = KeyRing([new_key()]).encrypt("secret")

    with pytest.raises(KeyRingError, match="ENCRYPTION_KEYS"):
        KeyRing([new_key()]).decrypt(stored)


@pytest.mark.parametrize("keys", [[], ["not-a-key"], [new_key()[:-4]]])
def test_unusable_keys_are_refused_and_not_quoted(keys: list[str]) -> None:
    """The error for an empty or malformed list has a cure and shows no key."""
    with pytest.raises(KeyRingError) as raised:
        KeyRing(keys)

    assert "ENCRYPTION_KEYS" in str(raised.value)
    assert not [key for key in keys if key in str(raised.value)]
