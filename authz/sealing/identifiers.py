"""What names a patient, at rest: sealed with the first of ENCRYPTION_KEYS, opened by whichever sealed it.

What is sealed begins with the first bytes of its key's id, so that nobody need try every key; then the nonce, and what
AES-256-GCM makes of the bytes. It is bound to its place, a column: moved to another one, it does not open.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from os import urandom
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from authz.sealing import CannotOpen

KEY_ID_BYTES: Final = 4
_NONCE_BYTES: Final = 12
_BODY: Final = KEY_ID_BYTES + _NONCE_BYTES
ADDED_BYTES: Final = _BODY + 16
"""By how much what is sealed is longer than what was said."""


@dataclass(frozen=True, slots=True)
class _Key:
    id: bytes
    seals: AESGCM
    indexes: bytes


def sealed(content: bytes, *, place: str) -> bytes:
    """Return bytes as they may be kept in a place; no two of the same are alike."""
    key, nonce = next(iter(_keys().values())), urandom(_NONCE_BYTES)
    return key.id + nonce + key.seals.encrypt(nonce, content, place.encode())


def opened(kept: bytes, *, place: str) -> bytes:
    """Return what was sealed for this place.

    :raises CannotOpen: when none of our keys sealed it, or not for this place, or it was changed since.
    """
    key = _keys().get(kept[:KEY_ID_BYTES])
    if key is None:
        raise CannotOpen(f"{place} was sealed with a key that AUTHZ_ENCRYPTION_KEYS does not name.")
    try:
        return key.seals.decrypt(kept[KEY_ID_BYTES:_BODY], kept[_BODY:], place.encode())
    except (InvalidTag, ValueError):
        raise CannotOpen(f"{place} is not what was sealed there.") from None


def digests(text: str, *, place: str) -> list[bytes]:
    """Return by what a text is found in a place: its keyed hash, one for each key, that of the first key first."""
    said = f"{place}\0{text}".encode()
    return [hmac.digest(key.indexes, said, sha256) for key in _keys().values()]


def key_ids() -> list[bytes]:
    """Return the ids of our keys, the one that seals first."""
    return list(_keys())


def _keys() -> Mapping[bytes, _Key]:
    return _derived(tuple(settings.ENCRYPTION_KEYS))


@lru_cache(maxsize=8)
def _derived(keys: tuple[str, ...]) -> Mapping[bytes, _Key]:
    found = [
        _Key(_of(key, b"id")[:KEY_ID_BYTES], AESGCM(_of(key, b"that seal")), _of(key, b"that index")) for key in keys
    ]
    return {key.id: key for key in found}


def _of(key: str, use: bytes) -> bytes:
    derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"authz patients' identifiers: keys " + use)
    return derivation.derive(key.encode())
