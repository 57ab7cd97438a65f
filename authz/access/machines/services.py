"""Machines: their tokens, for a proof of who they are; and what an operator does with them."""

import logging
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from hmac import compare_digest
from http.client import HTTPResponse
from secrets import token_urlsafe
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q

from authz.access.machines import assertions
from authz.access.machines.areas import AREAS
from authz.access.machines.assertions import AssertionRefused
from authz.access.machines.keys import MOST_BYTES, Key, KeysRefused, keys_of, must_be_keys, usable_part
from authz.access.machines.scopes import EVERYTHING, scopes_asked
from authz.access.models import AccessToken, ApiClient, Organization, SeenAssertion
from authz.access.roles import Role
from authz.access.services import must_fit
from authz.access.tenancy import across_tenants
from authz.access.tokens import sha256_of
from authz.outbound.calls import NoAnswer, call

log = logging.getLogger(__name__)

TOKEN_LIFE: Final = timedelta(minutes=5)
FRESH: Final = timedelta(hours=1)
"""For how long fetched keys are taken as they are."""
STALE: Final = timedelta(hours=24)
"""For how long they hold while their address does not answer."""
ASK_PAUSE: Final = timedelta(minutes=1)
"""How often a client's address is asked at most, whoever sends assertions in its name."""
FETCH_SECONDS: Final = 5.0

_NOBODY = sha256_of("no client has this secret")
_UNPROVEN = "The client is unknown, or this does not prove that it sent the request."


class ClientRefused(Exception):
    """The client did not prove who it is. Its text is a sentence for whoever asked."""


def create_client(
    *,
    organization: Organization,
    name: str,
    roles: set[Role],
    scopes: Collection[str] = EVERYTHING,
    jwks: Mapping[str, Any] | None = None,
    jwks_url: str = "",
    requests_a_minute: int | None = None,
    now: datetime | None = None,
) -> tuple[ApiClient, str]:
    """Create a machine of an organization and return it with its secret, which is shown this once and never again.

    A machine with keys of its own has no secret: "". Keys, address and scopes are taken as right.

    :raises InvalidInput: when an organization of that kind has no such role.
    """
    must_fit(organization=organization, roles=roles)
    secret = "" if jwks or jwks_url else token_urlsafe(32)
    client = ApiClient.objects.create(
        organization=organization,
        name=name,
        roles=sorted(role.value for role in roles),
        scopes=sorted(scopes),
        secret_sha256=sha256_of(secret) if secret else "",
        jwks=jwks,
        jwks_url=jwks_url,
        requests_a_minute=requests_a_minute,
        registered_at=now,
    )
    return client, secret


def rotate_secret(*, client: ApiClient, overlap: timedelta, now: datetime) -> str:
    """Give a client a new secret and return it, this once. The one before holds for the overlap; older ones end now."""
    secret = token_urlsafe(32)
    if overlap and client.secret_sha256:
        client.previous_secret_sha256, client.previous_secret_until = client.secret_sha256, now + overlap
    else:
        client.previous_secret_sha256, client.previous_secret_until = "", None
    client.secret_sha256, client.jwks, client.jwks_url, client.fetched_jwks = sha256_of(secret), None, "", None
    client.save()
    return secret


def give_keys(*, client: ApiClient, jwks: Mapping[str, Any] | None, jwks_url: str) -> None:
    """Let keys of its own, or those at an address, be a client's only proof from now on. The address is taken as right.

    :raises KeysRefused: when they are none that we take.
    """
    client.jwks, client.jwks_url = must_be_keys(jwks) if jwks is not None else None, jwks_url
    client.fetched_jwks, client.fetched_at, client.asked_at = None, None, None
    client.secret_sha256, client.previous_secret_sha256, client.previous_secret_until = "", "", None
    client.save()


def end(*, client: ApiClient) -> None:
    """Deactivate a client for good; its tokens end with it."""
    client.is_active = False
    client.save(update_fields=["is_active"])


@across_tenants("a client's id tells whose it is")
def issue_for_secret(
    *, client_id: str, client_secret: str, scope: str | None, now: datetime
) -> tuple[str, AccessToken]:
    """Exchange a client's id and secret for a bearer token.

    :raises ClientRefused: when either is wrong.
    :raises ScopeRefused: when a scope is unknown or was not granted.
    """
    client = _active(client_id)
    known = _secrets(client, now=now) if client else []
    given = sha256_of(client_secret)
    # Every hash is compared, and one for nobody: how long it takes tells nothing.
    found = [compare_digest(given, kept) for kept in (*known, _NOBODY)]
    if client is None or not any(found[:-1]):
        raise ClientRefused(_UNPROVEN)
    return _issue(client, scope=scope, now=now)


@across_tenants("a client's id tells whose it is")
def issue_for_assertion(
    *, assertion: str, client_id: str | None, audience: str, scope: str | None, now: datetime
) -> tuple[str, AccessToken]:
    """Exchange an assertion that a client signed for a bearer token. Keys may be fetched; not inside a transaction.

    :raises ClientRefused: when it does not prove who sent it, or was used before.
    :raises ScopeRefused: when a scope is unknown or was not granted.
    """
    try:
        who = assertions.stranger(assertion)
        client = _active(str(who.client_id)) if client_id in {None, str(who.client_id)} else None
        key = _key_of(client, who.kid, now=now) if client else None
        if client is None or key is None:
            raise ClientRefused(_UNPROVEN)
        proof = assertions.proven(
            assertion, key=key, client_id=client.public_id, audience=audience, jku=client.jwks_url, now=now
        )
    except AssertionRefused as refusal:
        raise ClientRefused(str(refusal)) from refusal
    with transaction.atomic():
        _use_once(client, proof)
        return _issue(client, scope=scope, now=now)


def prune_assertions(*, now: datetime) -> int:
    """Forget used assertions that would be refused as expired by now; return how many there were."""
    return SeenAssertion.objects.filter(expires_at__lte=now).delete()[0]


def _active(client_id: str) -> ApiClient | None:
    try:
        key = UUID(client_id)
    except ValueError:
        return None
    return ApiClient.objects.select_related("organization").filter(public_id=key, is_active=True).first()


def _secrets(client: ApiClient, *, now: datetime) -> list[str]:
    until = client.previous_secret_until
    previous = [client.previous_secret_sha256] if until and until > now else []
    return [kept for kept in (client.secret_sha256, *previous) if kept]


def _use_once(client: ApiClient, proof: assertions.Proven) -> None:
    try:
        with transaction.atomic():
            SeenAssertion.objects.create(client=client, jti_sha256=proof.jti_sha256, expires_at=proof.expires_at)
    except IntegrityError:
        raise ClientRefused("The assertion was used before. Make a new one, with a jti of its own.") from None


def _issue(client: ApiClient, *, scope: str | None, now: datetime) -> tuple[str, AccessToken]:
    scopes = scopes_asked(scope, granted=client.scopes, areas=AREAS)
    text = token_urlsafe(32)
    token = AccessToken.objects.create(
        key_sha256=sha256_of(text),
        client=client,
        organization=client.organization,
        issued_at=now,
        expires_at=now + TOKEN_LIFE,
        scopes=list(scopes),
    )
    return text, token


def _key_of(client: ApiClient, kid: str, *, now: datetime) -> Key | None:
    """Return the client's key of that id; keys at an address are asked for anew when they are old or lack it."""
    if client.jwks is not None:
        return keys_of(client.jwks).get(kid)
    if not client.jwks_url:
        return None
    if not _is_kept_since(client, now - FRESH) or kid not in keys_of(client.fetched_jwks or {"keys": []}):
        _fetch(client, now=now)
    return keys_of(client.fetched_jwks or {"keys": []}).get(kid) if _is_kept_since(client, now - STALE) else None


def _is_kept_since(client: ApiClient, then: datetime) -> bool:
    return client.fetched_at is not None and client.fetched_at > then


def _fetch(client: ApiClient, *, now: datetime) -> None:
    mine = ApiClient.objects.filter(pk=client.pk)
    if not mine.filter(Q(asked_at=None) | Q(asked_at__lte=now - ASK_PAUSE)).update(asked_at=now):
        return
    try:
        body = call(
            client.jwks_url,
            method="GET",
            headers={"Accept": "application/json"},
            seconds=FETCH_SECONDS,
            read=_body,
        )
        client.fetched_jwks, client.fetched_at = usable_part(body), now
    except (NoAnswer, KeysRefused) as failure:
        code = failure.code if isinstance(failure, NoAnswer) else "not-a-key-set"
        log.warning("keys-not-fetched client=%s error=%s", client.public_id, code)
        return
    # Only if the address is still the one that was asked.
    mine.filter(jwks_url=client.jwks_url).update(fetched_jwks=client.fetched_jwks, fetched_at=now)


def _body(answer: HTTPResponse) -> bytes:
    body = answer.read(MOST_BYTES + 1) if answer.status == 200 else b""
    return body if len(body) <= MOST_BYTES else b""
