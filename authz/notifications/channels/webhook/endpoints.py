"""What administrators do with their organization's endpoints, and what an operator does with the secrets."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from authz.access.models import Organization
from authz.access.roles import Actor, OrganizationKind
from authz.access.selectors import organization
from authz.audit import services as audit
from authz.errors import AuthzError, InvalidInput
from authz.ids import WebhookDeliveryId, WebhookEndpointId
from authz.notifications.channels.webhook import selectors
from authz.notifications.channels.webhook.models import EndpointState, PausedBecause, WebhookEndpoint, WebhookSecret
from authz.notifications.channels.webhook.payload import TEST
from authz.notifications.channels.webhook.signature import new_secret
from authz.notifications.matrix import topics_of
from authz.notifications.models import Delivery
from authz.outbound.targets import HostRefused, UrlRefused, addresses_of, target_of
from authz.outbox.nudge import Waiting, nudge_on_commit
from authz.outbox.services import announce
from authz.sealing import resealed, seal

MOST_ENDPOINTS = 20
MOST_SECRETS = 5
OVERLAP = timedelta(hours=24)
"""For how long a secret signs beside the one that takes its place."""

_HOST = "This host cannot be called: it is unknown, or its address is not public."


class LimitReached(AuthzError):
    """There are as many of them as there may be."""

    code = "limit-reached"


class EndpointNotActive(AuthzError):
    """The endpoint is paused or was deactivated."""

    code = "endpoint-not-active"


class StillWaiting(AuthzError):
    """The delivery has not come to an end yet: it is tried again anyway."""

    code = "delivery-waiting"


@transaction.atomic
def register(
    *, url: str, topics: Sequence[str] = (), description: str = "", by: Actor, now: datetime
) -> tuple[WebhookEndpoint, str]:
    """Register an endpoint and return it with its secret, which is shown this once and never again.

    :raises Forbidden: when the actor does not administer the organization.
    :raises InvalidInput: when the URL may not be called, or a topic is not for an organization of this kind.
    :raises LimitReached: when the organization has as many endpoints as it may have.
    """
    living = selectors.endpoints(by).exclude(state=EndpointState.DEACTIVATED.value)
    _must_be_right(organization(by), url=url, topics=topics)
    owner = Organization.objects.select_for_update(no_key=True).get(pk=by.organization)
    if living.count() >= MOST_ENDPOINTS:
        raise LimitReached(f"An organization has at most {MOST_ENDPOINTS} webhook endpoints.")
    made = WebhookEndpoint.objects.create(
        organization=owner, url=url, topics=list(topics), description=description, registered_at=now
    )
    _record("register", made, by=by, now=now)
    return made, _add_secret(made)


@transaction.atomic
def change(
    *,
    endpoint_id: WebhookEndpointId,
    url: str | None = None,
    topics: Sequence[str] | None = None,
    description: str | None = None,
    is_paused: bool | None = None,
    by: Actor,
    now: datetime,
) -> WebhookEndpoint:
    """Change what is given. What waits for a paused endpoint is delivered, in order, once it is active again.

    :raises Forbidden: when the actor does not administer the organization.
    :raises NotFound: when the endpoint is not theirs.
    :raises EndpointNotActive: when it was deactivated.
    :raises InvalidInput: when the URL may not be called, or a topic is not for an organization of this kind.
    """
    selectors.endpoint(by, endpoint_id)
    # Before the lock: a name server may take its time, and workers wait for the row.
    _must_be_right(organization(by), url=url, topics=topics or ())
    row = _locked(by, endpoint_id)
    row.url = row.url if url is None else url
    row.topics = row.topics if topics is None else list(topics)
    row.description = row.description if description is None else description
    if is_paused is not None:
        row.state = (EndpointState.PAUSED if is_paused else EndpointState.ACTIVE).value
        row.paused_because = PausedBecause.ASKED.value if is_paused else ""
    _try_now(row)
    row.save()
    _record("change", row, by=by, now=now)
    return row


@transaction.atomic
def deactivate(*, endpoint_id: WebhookEndpointId, by: Actor, now: datetime) -> None:
    """End an endpoint for good. Its log stays; what still waits for it is given up. Doing it again changes nothing.

    :raises Forbidden: when the actor does not administer the organization.
    :raises NotFound: when the endpoint is not theirs.
    """
    found = selectors.endpoint(by, endpoint_id)
    row = WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=found.pk)
    if row.state == EndpointState.DEACTIVATED.value:
        return
    row.state, row.paused_because, row.held_until = EndpointState.DEACTIVATED.value, "", None
    row.save()
    row.secrets.all().delete()
    _record("deactivate", row, by=by, now=now)


@transaction.atomic
def rotate_secret(*, endpoint_id: WebhookEndpointId, by: Actor, now: datetime) -> tuple[WebhookEndpoint, str]:
    """Give an endpoint a new secret and return it, this once. The ones before sign beside it for another 24 hours.

    :raises Forbidden: when the actor does not administer the organization.
    :raises NotFound: when the endpoint is not theirs.
    :raises EndpointNotActive: when it was deactivated.
    :raises LimitReached: when too many secrets sign already.
    """
    row = _locked(by, endpoint_id)
    row.secrets.filter(retires_at__lte=now).delete()
    if row.secrets.count() >= MOST_SECRETS:
        raise LimitReached(f"At most {MOST_SECRETS} secrets sign at once. Wait until the oldest retires.")
    row.secrets.filter(retires_at=None).update(retires_at=now + OVERLAP)
    secret = _add_secret(row)
    _record("rotate secret", row, by=by, now=now)
    return row, secret


@transaction.atomic
def send_test(*, endpoint_id: WebhookEndpointId, by: Actor, now: datetime) -> WebhookEndpoint:
    """Send an endpoint a test event, the way of every other event, and at once even when its receiver was away.

    :raises Forbidden: when the actor does not administer the organization.
    :raises NotFound: when the endpoint is not theirs.
    :raises EndpointNotActive: when it is paused or was deactivated.
    """
    row = _locked(by, endpoint_id)
    if row.state != EndpointState.ACTIVE.value:
        raise EndpointNotActive("The endpoint is paused. Make it active first.")
    _try_now(row)
    row.save()
    announce(topic=TEST, subject_id=row.public_id, now=now)
    _record("test", row, by=by, now=now)
    return row


@transaction.atomic
def replay(*, delivery_id: WebhookDeliveryId, by: Actor, now: datetime) -> Delivery:
    """Deliver again, under the same id, what was delivered or given up. It comes out of its order.

    :raises Forbidden: when the actor does not administer the organization.
    :raises NotFound: when the delivery is not theirs.
    :raises EndpointNotActive: when its endpoint was deactivated.
    :raises StillWaiting: when it is still to be delivered.
    """
    row = selectors.delivery(by, delivery_id)
    if row.endpoint is None or row.endpoint.state == EndpointState.DEACTIVATED.value:
        raise EndpointNotActive("The endpoint was deactivated.")
    ended = Delivery.objects.filter(pk=row.pk).filter(Q(sent_at__isnull=False) | Q(dead_at__isnull=False))
    if not ended.update(sent_at=None, dead_at=None, attempts=0, due_at=now):
        raise StillWaiting("The delivery is still waiting to be made.")
    audit.record(by=by, action="replay", subject_kind="webhook-delivery", subject_id=row.public_id, now=now)
    nudge_on_commit(Waiting.DELIVERIES)
    row.refresh_from_db()
    return row


@transaction.atomic
def reseal() -> int:
    """Seal every secret with the first key, so that the others can be taken away; return how many there are.

    :raises CannotOpen: when one was sealed with a key that is no longer there.
    """
    secrets = list(WebhookSecret.objects.select_for_update())
    for secret in secrets:
        secret.sealed = resealed(secret.sealed)
    WebhookSecret.objects.bulk_update(secrets, ["sealed"])
    return len(secrets)


def _locked(by: Actor, endpoint_id: WebhookEndpointId) -> WebhookEndpoint:
    found = selectors.endpoint(by, endpoint_id)
    row = WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=found.pk)
    if row.state == EndpointState.DEACTIVATED.value:
        raise EndpointNotActive("The endpoint was deactivated for good. Register another.")
    return row


def _must_be_right(owner: Organization, *, url: str | None, topics: Sequence[str]) -> None:
    faults = _faults_of(url) if url is not None else {}
    known = topics_of(OrganizationKind(owner.kind))
    for place, topic in enumerate(topics):
        if topic not in known:
            faults[f"topics[{place}]"] = [f"The people of a {owner.kind} do not hear of this topic."]
    if faults:
        raise InvalidInput(faults)


def _faults_of(url: str) -> dict[str, list[str]]:
    try:
        addresses_of(target_of(url))
    except UrlRefused as refusal:
        return {"url": [str(refusal)]}
    except HostRefused:
        return {"url": [_HOST]}
    return {}


def _add_secret(endpoint: WebhookEndpoint) -> str:
    secret = new_secret()
    WebhookSecret.objects.create(endpoint=endpoint, sealed=seal(secret))
    return secret


def _try_now(row: WebhookEndpoint) -> None:
    """Forget that the receiver was away: somebody has just looked after it."""
    row.failures, row.held_until = 0, None


def _record(action: str, endpoint: WebhookEndpoint, *, by: Actor, now: datetime) -> None:
    audit.record(by=by, action=action, subject_kind="webhook-endpoint", subject_id=endpoint.public_id, now=now)
