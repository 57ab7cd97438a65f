"""What was searched for, sealed: it names patients, and addresses end up in histories and logs."""

from base64 import urlsafe_b64encode
from datetime import timedelta
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

# Sets these keys apart from whatever else is ever derived from the same setting: what is sealed here is shown again.
_PURPOSE: Final = b"authz words searched for"
_KEPT: Final = timedelta(days=1)


def sealed(text: str) -> str:
    """Return the words as an address may hold them; nothing for nothing."""
    return _keys().encrypt(text.encode()).decode() if text else ""


def unsealed(token: str) -> str:
    """Return the words; empty for what we did not seal, or not within the last day."""
    try:
        return _keys().decrypt(token.encode(), ttl=int(_KEPT.total_seconds())).decode() if token else ""
    except InvalidToken:
        return ""


def _keys() -> MultiFernet:
    return MultiFernet([Fernet(_derived(key)) for key in settings.ENCRYPTION_KEYS])


def _derived(key: str) -> bytes:
    return urlsafe_b64encode(HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(key.encode()))
