"""What administrators do with their organization's machines."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction

from authz.access.machines import services as machines
from authz.access.machines.areas import AREAS
from authz.access.machines.keys import KeysRefused, must_be_keys
from authz.access.machines.scopes import ScopeRefused, must_be_known
from authz.access.models import ApiClient
from authz.access.roles import Actor, Role
from authz.access.selectors import organization
from authz.administration import selectors
from authz.audit import services as audit
from authz.errors import AuthzError, InvalidInput
from authz.ids import ApiClientId
from authz.outbound.targets import HostRefused, UrlRefused, addresses_of, target_of

MOST_CLIENTS: Final = 50
_HOST: Final = "This host cannot be called: it is unknown, or its address is not public."


class TooManyClients(AuthzError):
    """The organization has as many active machines as it may have."""

    code = "too-many-clients"


class ClientDeactivated(AuthzError):
    """The machine was deactivated for good."""

    code = "client-deactivated"


@transaction.atomic
def register(
    *,
    name: str,
    roles: Collection[Role],
    scopes: Collection[str],
    jwks: Mapping[str, Any] | None = None,
    jwks_url: str = "",
    requests_a_minute: int | None = None,
    by: Actor,
    now: datetime,
) -> tuple[ApiClient, str]:
    """Register a machine and return it with its secret, shown this once; "" for one with keys of its own.

    :raises Forbidden: when the actor does not administer the organization.
    :raises InvalidInput: when a role, a scope, the keys or their address are not right.
    :raises TooManyClients: when the organization has as many as it may have.
    """
    living = selectors.clients(by).filter(is_active=True)
    kept = _must_be_right(scopes=scopes, jwks=jwks, jwks_url=jwks_url)
    if living.count() >= MOST_CLIENTS:
        raise TooManyClients(f"An organization has at most {MOST_CLIENTS} active API clients.")
    client, secret = machines.create_client(
        organization=organization(by),
        name=name,
        roles=set(roles),
        scopes=scopes,
        jwks=kept,
        jwks_url=jwks_url,
        requests_a_minute=requests_a_minute,
        now=now,
    )
    _record("register", client, by=by, now=now)
    return client, secret


@transaction.atomic
def change(
    *,
    client_id: ApiClientId,
    scopes: Collection[str] | None = None,
    jwks: Mapping[str, Any] | None = None,
    jwks_url: str = "",
    requests_a_minute: int | None = None,
    by: Actor,
    now: datetime,
) -> ApiClient:
    """Change what is given. Keys, or an address of keys, take the place of the machine's other proof at once.

    A key set may hold the old key beside the new one: that is how a key is replaced without a gap.

    :raises Forbidden: when the actor does not administer the organization.
    :raises NotFound: when the machine is not theirs.
    :raises ClientDeactivated: when it was deactivated.
    :raises InvalidInput: when a scope, the keys or their address are not right.
    """
    selectors.client(by, client_id)
    kept = _must_be_right(scopes=scopes or (), jwks=jwks, jwks_url=jwks_url)
    row = _locked(by, client_id)
    row.scopes = row.scopes if scopes is None else sorted(scopes)
    row.requests_a_minute = requests_a_minute or row.requests_a_minute
    if kept is not None or jwks_url:
        machines.give_keys(client=row, jwks=kept, jwks_url=jwks_url)
    row.save()
    _record("change", row, by=by, now=now)
    return row


@transaction.atomic
def rotate_secret(*, client_id: ApiClientId, overlap: timedelta, by: Actor, now: datetime) -> tuple[ApiClient, str]:
    """Give a machine a new secret and return it, this once. The one before holds for the overlap.

    :raises Forbidden: when the actor does not administer the organization.
    :raises NotFound: when the machine is not theirs.
    :raises ClientDeactivated: when it was deactivated.
    """
    row = _locked(by, client_id)
    secret = machines.rotate_secret(client=row, overlap=overlap, now=now)
    _record("rotate secret", row, by=by, now=now)
    return row, secret


@transaction.atomic
def deactivate(*, client_id: ApiClientId, by: Actor, now: datetime) -> None:
    """End a machine for good; its tokens end with it. Doing it again changes nothing.

    :raises Forbidden: when the actor does not administer the organization.
    :raises NotFound: when the machine is not theirs.
    """
    found = selectors.client(by, client_id)
    row = ApiClient.objects.select_for_update(no_key=True).get(pk=found.pk)
    if row.is_active:
        machines.end(client=row)
        _record("deactivate", row, by=by, now=now)


def _locked(by: Actor, client_id: ApiClientId) -> ApiClient:
    found = selectors.client(by, client_id)
    row = ApiClient.objects.select_for_update(no_key=True).get(pk=found.pk)
    if not row.is_active:
        raise ClientDeactivated("The API client was deactivated for good. Register another.")
    return row


def _must_be_right(*, scopes: Collection[str], jwks: Mapping[str, Any] | None, jwks_url: str) -> dict[str, Any] | None:
    """Return the keys as they are kept."""
    faults: dict[str, list[str]] = {}
    kept = None
    try:
        must_be_known(scopes, areas=AREAS)
    except ScopeRefused as refusal:
        faults["scopes"] = [str(refusal)]
    try:
        kept = must_be_keys(jwks) if jwks is not None else None
    except KeysRefused as refusal:
        faults["jwks"] = [str(refusal)]
    if jwks is not None and jwks_url:
        faults["jwks_url"] = ["Give either the keys or their address."]
    elif jwks_url:
        faults |= _faults_of(jwks_url)
    if faults:
        raise InvalidInput(faults)
    return kept


def _faults_of(url: str) -> dict[str, list[str]]:
    try:
        addresses_of(target_of(url))
    except UrlRefused as refusal:
        return {"jwks_url": [str(refusal)]}
    except HostRefused:
        return {"jwks_url": [_HOST]}
    return {}


def _record(action: str, client: ApiClient, *, by: Actor, now: datetime) -> None:
    audit.record(by=by, action=action, subject_kind="api-client", subject_id=client.public_id, now=now)
