"""Secrets at rest. The first of ENCRYPTION_KEYS seals and each of them opens, so a key can be replaced at leisure."""

from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

# Sets these keys apart from whatever else is ever derived from the same setting.
_PURPOSE = b"authz webhook secrets"


class CannotOpen(Exception):
    """What was sealed opens with none of the keys that this deployment has."""


def seal(secret: str) -> str:
    """Return the secret as it may be kept."""
    return _keys().encrypt(secret.encode()).decode()


def opened(sealed: str) -> str:
    """Return the secret itself.

    :raises CannotOpen: when it was sealed with a key that is no longer there.
    """
    try:
        return _keys().decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise CannotOpen from None


def resealed(sealed: str) -> str:
    """Return the same secret, sealed with the first key.

    :raises CannotOpen: when it was sealed with a key that is no longer there.
    """
    return seal(opened(sealed))


def _keys() -> MultiFernet:
    return MultiFernet([Fernet(_derived(key)) for key in settings.ENCRYPTION_KEYS])


def _derived(key: str) -> bytes:
    return urlsafe_b64encode(HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(key.encode()))
