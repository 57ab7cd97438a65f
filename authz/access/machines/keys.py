"""PURE: a machine's public keys, as a JSON Web Key Set (RFC 7517): P-384 for ES384, RSA for RS384, and no other."""

import json
from collections.abc import Mapping
from typing import Any, Final, cast

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

MOST_KEYS: Final = 10
MOST_BYTES: Final = 64 * 1024
LONGEST_KID: Final = 200
_RSA_BITS: Final = range(2048, 4096 + 1)
_PUBLIC: Final = frozenset({"kty", "kid", "use", "alg", "key_ops", "crv", "x", "y", "n", "e"})

Key = ECKey | RSAKey


class KeysRefused(Exception):
    """What was given is no set of public keys that we take. Its text is a sentence for whoever gave it."""


def keys_of(document: Mapping[str, Any]) -> dict[str, Key]:
    """Return the usable keys of a set that we keep, by key id."""
    return {str(row["kid"]): _key(row) for row in document["keys"]}


def must_be_keys(document: object) -> dict[str, Any]:
    """Return a set as we keep it, when every key in it can be used.

    :raises KeysRefused: naming what is wrong with the first key that is not right.
    """
    rows = _rows(document)
    if not 1 <= len(rows) <= MOST_KEYS:
        raise KeysRefused(f"One to {MOST_KEYS} keys are needed.")
    for row in rows:
        _must_be_right(row)
    if len({row["kid"] for row in rows}) < len(rows):
        raise KeysRefused("Every key needs a kid of its own.")
    return {"keys": [_kept(row) for row in rows]}


def usable_part(body: bytes) -> dict[str, Any]:
    """Return what of a fetched set we can use; others may have keys in it for other uses.

    :raises KeysRefused: when it is no key set, or there is nothing in it for us.
    """
    try:
        rows = _rows(json.loads(body))
    except (ValueError, RecursionError):
        raise KeysRefused("The key set is not JSON.") from None
    usable = {str(row["kid"]): _kept(row) for row in rows if _is_right(row)}
    if not usable:
        raise KeysRefused("The key set holds no key for ES384 or RS384 with a kid.")
    return {"keys": list(usable.values())[:MOST_KEYS]}


def _rows(document: object) -> list[dict[str, Any]]:
    rows = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise KeysRefused("A JSON Web Key Set is needed: an object with a list of keys.")
    return cast(list[dict[str, Any]], rows)


def _is_right(row: Mapping[str, Any]) -> bool:
    try:
        _must_be_right(row)
    except KeysRefused:
        return False
    return True


def _must_be_right(row: Mapping[str, Any]) -> None:
    kid = row.get("kid")
    if not isinstance(kid, str) or not kid.isascii() or not kid.isprintable() or not 1 <= len(kid) <= LONGEST_KID:
        raise KeysRefused(f"Every key needs a kid of 1 to {LONGEST_KID} visible ASCII characters.")
    if {"d", "p", "q", "k"} & set(row):
        raise KeysRefused("The set holds a private key. Make a new pair, and send its public key alone.")
    try:
        key = _key(row)
        key.check_use("sig")
    except (JoseError, ValueError, TypeError, KeyError):
        raise KeysRefused("A key is not one for ES384 (EC on P-384) or RS384 (RSA), or is not whole.") from None
    if isinstance(key, RSAKey) and key.public_key.key_size not in _RSA_BITS:
        raise KeysRefused("An RSA key needs 2048 to 4096 bits.")
    if row.get("alg", algorithm_of(key)) != algorithm_of(key):
        raise KeysRefused("A key is meant for another algorithm than ES384 or RS384.")


def algorithm_of(key: Key) -> str:
    """Return the only algorithm that a key is used with: the header of a token has no say in it."""
    return "ES384" if isinstance(key, ECKey) else "RS384"


def _key(row: Mapping[str, Any]) -> Key:
    public = cast(Any, _kept(row))
    if row.get("kty") == "EC" and row.get("crv") == "P-384":
        return ECKey.import_key(public)
    if row.get("kty") == "RSA" and len(str(row.get("n"))) <= 1000:
        return RSAKey.import_key(public)
    raise ValueError("neither EC on P-384 nor RSA of a size we take")


def _kept(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name in _PUBLIC}
