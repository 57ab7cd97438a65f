"""Machines' keys, and assertions signed with them: right ones, and ones wrong in a single way."""

import json
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import uuid4

from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from authz.api.oauth import ASSERTION_TYPE, token_url

Pair = ECKey | RSAKey


@cache
def ec_pair(kid: str = "ec-1") -> ECKey:
    """Return a pair on P-384; the same for the same key id."""
    return ECKey.generate_key("P-384", {"kid": kid}, private=True)


@cache
def rsa_pair(kid: str = "rsa-1") -> RSAKey:
    """Return an RSA pair; the same for the same key id."""
    return RSAKey.generate_key(2048, {"kid": kid}, private=True)


def key_set(*pairs: Pair) -> dict[str, Any]:
    """Return the public halves, as a machine publishes them."""
    return {"keys": [dict(pair.as_dict(private=False)) for pair in pairs]}


def claims(client_id: object, *, now: datetime, **other: object) -> dict[str, object]:
    """Return right claims, but for what is said otherwise; None leaves a claim out."""
    made: dict[str, object] = {
        "iss": str(client_id),
        "sub": str(client_id),
        "aud": token_url(),
        "exp": int((now + timedelta(minutes=4)).timestamp()),
        "jti": str(uuid4()),
    }
    return {name: value for name, value in (made | other).items() if value is not None}


def signed(
    said: dict[str, object], pair: Pair, *, alg: str | None = None, kid: str | None = None, **header: Any
) -> str:
    """Return a signed assertion; the algorithm and the key id are the pair's own unless said."""
    alg = alg or ("ES384" if isinstance(pair, ECKey) else "RS384")
    head = {"alg": alg, "kid": kid or pair.kid, "typ": "JWT", **header}
    return jws.serialize_compact(head, json.dumps(said), pair, algorithms=[alg])


def form(assertion: str, **other: str) -> dict[str, str]:
    """Return the form that a machine sends for a token."""
    return {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
    } | other
