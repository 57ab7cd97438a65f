"""Webhook endpoints for the notification tests: who administers, and what is registered."""

from datetime import datetime
from typing import Any

from authz.access import services as access
from authz.access.models import Organization
from authz.access.roles import Actor, OrganizationKind, Role
from authz.access.selectors import actor_for
from authz.ids import WebhookEndpointId
from authz.notifications import services
from authz.notifications.channels.webhook import endpoints
from authz.notifications.channels.webhook.models import WebhookEndpoint
from authz.notifications.matrix import ChannelName
from authz.notifications.models import Delivery
from tests import cast as stage
from tests.cast import NOW
from tests.notifications.stage import SOON
from tests.receiver import Receiver


def administrator(organization: Organization) -> Actor:
    """Return somebody new who administers an organization."""
    role = Role.CLINIC_ADMIN if organization.kind == OrganizationKind.CLINIC.value else Role.INSURER_ADMIN
    email = f"admin-{organization.pk}-{organization.memberships.count()}@example.org"
    person = access.create_person(email=email, full_name="Uma Field", password=stage.PASSWORD)
    access.add_membership(person=person, organization=organization, role=role)
    return actor_for(person=person, organization=organization)


def registered(organization: Organization, receiver: Receiver, **more: Any) -> WebhookEndpoint:
    """Return an endpoint of an organization at the receiver."""
    return secretly_registered(organization, receiver, **more)[0]


def secretly_registered(organization: Organization, receiver: Receiver, **more: Any) -> tuple[WebhookEndpoint, str]:
    """Return an endpoint of an organization at the receiver, and its secret."""
    return endpoints.register(url=receiver.url, by=administrator(organization), now=NOW, **more)


def key_of(endpoint: WebhookEndpoint) -> WebhookEndpointId:
    return WebhookEndpointId(endpoint.public_id)


def announce_test(endpoint: WebhookEndpoint, *, now: datetime = NOW) -> None:
    """Have a test event announced: the cheapest event there is."""
    endpoints.send_test(endpoint_id=key_of(endpoint), by=administrator(endpoint.organization), now=now)


def tell(now: datetime = SOON) -> int:
    """Say what was announced and is due, by webhook alone; return how many deliveries were tried."""
    while services.fan_out_next(now=now):
        pass
    tried = 0
    while services.deliver_next(now=now, channel=ChannelName.WEBHOOK):
        tried += 1
    return tried


def to_hooks() -> list[Delivery]:
    """Return every delivery by webhook, in the order of the facts."""
    return list(Delivery.objects.filter(channel="webhook").order_by("pk"))
