"""PURE: the signed statement by which a machine says who it is (RFC 7523, and SMART Backend Services' rules for it)."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from joserfc import jws
from joserfc.errors import JoseError

from authz.access.machines.keys import Key, algorithm_of

LONGEST: Final = 8192
"""Bytes of a whole assertion. One with an RSA signature has about 900."""
LONGEST_LIFE: Final = timedelta(minutes=5)
SKEW: Final = timedelta(seconds=10)
"""By how much a machine's clock may be ahead of ours in what is not about the end."""
LONGEST_JTI: Final = 255

_SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_LATEST: Final = 4_102_444_800  # the year 2100


class AssertionRefused(Exception):
    """The assertion does not prove who sent it. Its text is a sentence for whoever did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stranger:
    """Whom an assertion says it is from, before anything of it is proven."""

    client_id: UUID
    kid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """What is left of an assertion that was proven: what no other may say again until it ends."""

    jti_sha256: str
    expires_at: datetime


def stranger(assertion: str) -> Stranger:
    """Return whom an assertion says it is from.

    :raises AssertionRefused: when it cannot be read.
    """
    header, claims = _parts(assertion)
    kid, issuer = header.get("kid"), claims.get("iss")
    if not isinstance(kid, str):
        raise AssertionRefused("The assertion's header needs a kid.")
    try:
        return Stranger(client_id=UUID(issuer), kid=kid)
    except (ValueError, TypeError, AttributeError):
        raise AssertionRefused("The assertion's iss must be the client's id.") from None


def proven(assertion: str, *, key: Key, client_id: UUID, audience: str, jku: str, now: datetime) -> Proven:
    """Return what an assertion proves with that key; `jku` is the only address of keys that its header may name.

    :raises AssertionRefused: when it proves nothing.
    """
    header, _ = _parts(assertion)
    if header.get("jku", jku) != jku:
        raise AssertionRefused("The assertion names other keys than the client registered.")
    try:
        signed = jws.deserialize_compact(assertion, key, algorithms=[algorithm_of(key)])
    except (JoseError, ValueError, TypeError):
        raise AssertionRefused("The assertion's signature is not right.") from None
    claims = _object(signed.payload)
    if claims.get("iss") != str(client_id) or claims.get("sub") != str(client_id):
        raise AssertionRefused("The assertion's iss and sub must both be the client's id.")
    if claims.get("aud") not in (audience, [audience]):
        raise AssertionRefused("The assertion's aud must be this token endpoint, and nothing else.")
    return Proven(jti_sha256=_jti(claims), expires_at=_end(claims, now=now))


def _jti(claims: dict[str, Any]) -> str:
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 1 <= len(jti) <= LONGEST_JTI:
        raise AssertionRefused(f"The assertion needs a jti of 1 to {LONGEST_JTI} characters.")
    return sha256(jti.encode("utf-8", "surrogatepass")).hexdigest()


def _end(claims: dict[str, Any], *, now: datetime) -> datetime:
    end = _instant(claims, "exp")
    if end is None:
        raise AssertionRefused("The assertion needs an exp.")
    if end <= now:
        raise AssertionRefused("The assertion has expired.")
    if end > now + LONGEST_LIFE:
        raise AssertionRefused("The assertion's exp is more than five minutes ahead.")
    for name in ("nbf", "iat"):
        begin = _instant(claims, name)
        if begin is not None and begin > now + SKEW:
            raise AssertionRefused(f"The assertion's {name} is in the future.")
    return end


def _instant(claims: dict[str, Any], name: str) -> datetime | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < _LATEST:
        raise AssertionRefused(f"The assertion's {name} must be a time in seconds.")
    return datetime.fromtimestamp(value, UTC)


def _parts(assertion: str) -> tuple[dict[str, Any], dict[str, Any]]:
    if len(assertion) > LONGEST:
        raise AssertionRefused(f"The assertion is longer than {LONGEST} bytes.")
    if not _SHAPE.fullmatch(assertion):
        raise AssertionRefused("The assertion is no signed JSON Web Token.")
    try:
        found = jws.extract_compact(assertion.encode("ascii"))
        return dict(found.headers()), _object(found.payload)
    except (JoseError, ValueError, TypeError, RecursionError):
        raise AssertionRefused("The assertion is no signed JSON Web Token.") from None


def _object(payload: bytes) -> dict[str, Any]:
    try:
        claims = json.loads(payload)
    except (ValueError, RecursionError):
        claims = None
    if not isinstance(claims, dict):
        raise AssertionRefused("The assertion's claims are no JSON object.")
    return claims
