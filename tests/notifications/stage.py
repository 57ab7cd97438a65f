"""Shared moves of the notification tests."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from authz.access.roles import Actor
from authz.notifications import services
from authz.notifications.wishes import services as wishes
from authz.notifications.wishes.models import NotificationSettings
from authz.outbox.models import OutboxMessage
from authz.outbox.services import announce
from authz.prior_auths.models import PriorAuth
from tests.cast import NOW

SOON = NOW + timedelta(seconds=1)
PHONE = "+15550100"


def with_phone(by: Actor, **changes: Any) -> None:
    """Give somebody a phone that they have confirmed, and what else they want."""
    wishes.change(changes={"phone": PHONE}, by=by, now=NOW)
    code = NotificationSettings.objects.get(person=by.person_id).phone_code
    wishes.change(changes={"phone_code": code, **changes}, by=by, now=NOW)  # type: ignore[typeddict-item]  # as named
    OutboxMessage.objects.filter(topic=wishes.PHONE_GIVEN).update(settled_at=NOW)


def say(prior_auth: PriorAuth, topic: str) -> None:
    """Announce a fact about a request."""
    with transaction.atomic():
        announce(topic=topic, subject_id=prior_auth.public_id, now=NOW)


def drain(now: datetime = SOON) -> int:
    """Do all that is due, as a worker does; return how many pieces of work there were."""
    done = 0
    while services.fan_out_next(now=now) or services.send_next(now=now):
        done += 1
    return done
