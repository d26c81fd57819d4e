"""The key ring that encrypts secrets at rest."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class KeyRingError(Exception):
    """A secret could not be encrypted or decrypted; the message says which key to look at."""


class KeyRing:
    """Fernet keys, the newest first: the first encrypts, all of them decrypt.

    To rotate, put a new key in front of ``ENCRYPTION_KEYS``, re-encrypt, then drop the old one.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise KeyRingError(
                "ENCRYPTION_KEYS is empty: set it to one or more Fernet keys, newest first "
                "(make one with `ireserve-mattermost keys new`)"
            )
        try:
            self._ring = MultiFernet([Fernet(key) for key in keys])
        except ValueError:
            # The original error would quote the key.
            raise KeyRingError(
                "ENCRYPTION_KEYS holds something that is no Fernet key: each must be 32 bytes in "
                "URL-safe base64 (make one with `ireserve-mattermost keys new`)"
            ) from None

    def encrypt(self, secret: str) -> str:
        """Return the secret encrypted with the newest key, as ASCII text."""
        return self._ring.encrypt(secret.encode()).decode()

    def decrypt(self, encrypted: str) -> str:
        """Return the secret.

        Raises:
            KeyRingError: no key of the ring fits.
        """
        try:
            return self._ring.decrypt(encrypted.encode()).decode()
        except InvalidToken:
            raise KeyRingError(
                "no key in ENCRYPTION_KEYS decrypts this secret: put the key it was stored with "
                "back on the list"
            ) from None

    def rotate(self, encrypted: str) -> str:
        """Return the same secret encrypted with the newest key.

        Raises:
            KeyRingError: no key of the ring fits.
        """
        return self.encrypt(self.decrypt(encrypted))


def new_key() -> str:
    """Return a fresh key for ``ENCRYPTION_KEYS``."""
    return Fernet.generate_key().decode()
