"""An organization's endpoints, which of them hear of a fact, and what waits for each."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from authz.access.roles import Action, Actor, OrganizationKind, must_be_allowed
from authz.errors import NotFound
from authz.ids import WebhookDeliveryId, WebhookEndpointId
from authz.notifications.channels.webhook.models import EndpointState, WebhookEndpoint
from authz.notifications.channels.webhook.payload import TEST
from authz.notifications.matrix import sides_told
from authz.notifications.models import Delivery
from authz.notifications.selectors import insurer_of, unsent
from authz.notifications.subjects import Subject, subject_of
from authz.outbox.models import OutboxMessage
from authz.pain.models import PainHint
from authz.prescriptions.emergency.models import EmergencyAccess
from authz.prior_auths.models import PriorAuth


def endpoints(by: Actor) -> QuerySet[WebhookEndpoint]:
    """Return the endpoints of the actor's organization, deactivated ones too.

    :raises Forbidden: when the actor does not administer it.
    """
    must_be_allowed(by, Action.MANAGE_WEBHOOKS)
    return WebhookEndpoint.objects.filter(organization=by.organization)


def endpoint(by: Actor, endpoint_id: WebhookEndpointId) -> WebhookEndpoint:
    """Return one of them.

    :raises Forbidden: when the actor does not administer the organization.
    :raises NotFound: when it is not theirs.
    """
    found = endpoints(by).filter(public_id=endpoint_id).first()
    if found is None:
        raise NotFound("There is no such webhook endpoint.")
    return found


def deliveries(by: Actor, endpoint_id: WebhookEndpointId) -> QuerySet[Delivery]:
    """Return what an endpoint was told, or is still to be told.

    :raises Forbidden: when the actor does not administer the organization.
    :raises NotFound: when the endpoint is not theirs.
    """
    return Delivery.objects.filter(endpoint=endpoint(by, endpoint_id)).select_related("message")


def delivery(by: Actor, delivery_id: WebhookDeliveryId) -> Delivery:
    """Return one delivery to an endpoint of the actor's organization.

    :raises Forbidden: when the actor does not administer the organization.
    :raises NotFound: when it is not theirs.
    """
    mine = Delivery.objects.filter(public_id=delivery_id, endpoint__in=endpoints(by))
    found = mine.select_related("message", "endpoint").first()
    if found is None:
        raise NotFound("There is no such webhook delivery.")
    return found


def heeding(organization_id: int | None) -> Sequence[WebhookEndpoint]:
    """Return an organization's endpoints, deactivated ones left out; a paused one hears everything later."""
    active = WebhookEndpoint.objects.exclude(state=EndpointState.DEACTIVATED.value)
    return list(active.filter(organization=organization_id).order_by("pk")) if organization_id else []


def listening(
    message: OutboxMessage,
    subject: Subject | None = None,
    *,
    of: Callable[[int | None], Sequence[WebhookEndpoint]] = heeding,
) -> Sequence[WebhookEndpoint]:
    """Return the endpoints that hear of a fact: those of a party to the request whose people do.

    `subject` is what the fact is about, looked up unless given, and `of` is who asks for an organization's endpoints.
    The insurer's hear only of what was submitted to it, and never of a patient's pain.

    :raises ObjectDoesNotExist: when the topic is told but is about nothing there is.
    """
    if message.topic == TEST:
        active = WebhookEndpoint.objects.exclude(state=EndpointState.DEACTIVATED.value)
        return list(active.filter(public_id=message.subject_id))
    sides = sides_told(message.topic)
    if not sides:
        return []
    about = subject or subject_of(message)
    if isinstance(about, EmergencyAccess):
        return []
    parties = _parties(about)
    there = (endpoint for side in sorted(sides) for endpoint in of(parties[side]))
    return [endpoint for endpoint in there if not endpoint.topics or message.topic in endpoint.topics]


def _parties(subject: PriorAuth | PainHint) -> Mapping[OrganizationKind, int | None]:
    insurer = insurer_of(subject) if isinstance(subject, PriorAuth) else None
    return {OrganizationKind.CLINIC: subject.clinic_id, OrganizationKind.INSURER: insurer}


def ready(*, now: datetime) -> list[int]:
    """Return the keys of the endpoints for which something is due, in random order: none keeps the others waiting.

    A deactivated one is there, too: what waits for it is given up by the worker that leases it.
    """
    due = unsent().filter(endpoint=OuterRef("pk"), due_at__lte=now)
    held = Q(held_until__gt=now) | Q(state=EndpointState.PAUSED.value)
    some = WebhookEndpoint.objects.filter(Exists(due)).exclude(held)
    return list(some.order_by("?").values_list("pk", flat=True))


def line_of(endpoint_id: int) -> QuerySet[Delivery]:
    """Return the oldest unmade delivery of each request to an endpoint: it hears of events in the order of events."""
    same = unsent().filter(subject_id=OuterRef("subject_id"), endpoint=OuterRef("endpoint"))
    first = Subquery(same.order_by("message").values("pk")[:1])
    return unsent().filter(pk=first, endpoint=endpoint_id).select_related("message", "endpoint")
