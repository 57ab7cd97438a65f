"""What an endpoint is told: that something happened to what, and where to read more. Never anything of a patient."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC

from django.conf import settings

from authz.notifications.models import Delivery
from authz.notifications.subjects import request_path

TEST = "webhook.test"


@dataclass(frozen=True, slots=True)
class Told:
    """All that is told: what kind of thing it is about, its public id, and the page that shows it to who may see it."""

    object: str
    id: str
    link: str


def body_of(delivery: Delivery) -> bytes:
    """Return the body; every attempt of one delivery makes the same.

    :raises ObjectDoesNotExist: when the delivery is about nothing there is.
    """
    message = delivery.message
    happened_at = message.announced_at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    whole = {"type": message.topic, "timestamp": happened_at, "data": asdict(_told(delivery))}
    return json.dumps(whole, separators=(",", ":")).encode()


def _told(delivery: Delivery) -> Told:
    topic, subject = delivery.message.topic, delivery.subject_id
    if topic == TEST:
        kind, path = "webhook_endpoint", f"/api/v1/webhook-endpoints/{subject}/"
    else:
        kind, path = "prior_authorization", request_path(subject)
    return Told(kind, str(subject), f"{settings.BASE_URL}{path}")
