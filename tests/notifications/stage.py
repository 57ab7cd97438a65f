"""Shared moves of the notification tests."""

from datetime import datetime, timedelta

from django.db import transaction

from authz.notifications import services
from authz.outbox.services import announce
from authz.prior_auths.models import PriorAuth
from tests.cast import NOW

SOON = NOW + timedelta(seconds=1)


def say(prior_auth: PriorAuth, topic: str) -> None:
    """Announce a fact about a request."""
    with transaction.atomic():
        announce(topic=topic, subject_id=prior_auth.public_id, now=NOW)


def drain(now: datetime = SOON) -> int:
    """Do all that is due, as a worker does; return how many pieces of work there were."""
    done = 0
    while services.advance(now=now):
        done += 1
    return done
