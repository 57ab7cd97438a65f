"""How many messages the people of an organization got in a period, read from what was delivered."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet

from authz import clock
from authz.access.models import Person
from authz.access.roles import Action, Actor, must_be_allowed
from authz.access.selectors import organization
from authz.errors import InvalidInput
from authz.notifications.burden.figures import Burden, Message, burden
from authz.notifications.decisions_told import DECISION_TOPICS
from authz.notifications.digests.models import Digest
from authz.notifications.matrix import ChannelName
from authz.notifications.models import NEEDLESS, Delivery


@dataclass(frozen=True, slots=True)
class OrganizationsBurden:
    """The figures, and who the people behind the keys are."""

    burden: Burden
    people: Mapping[int, Person]


def burden_of(by: Actor, *, since: date, until: date, now: datetime) -> OrganizationsBurden:
    """Return what the people of the actor's organization got from one day to another, both included, in its calendar.

    :raises Forbidden: when the actor does not administer the organization.
    :raises InvalidInput: when the first day is so long ago that messages of it are no longer kept.
    """
    must_be_allowed(by, Action.READ_MESSAGE_BURDEN)
    zone = organization(by).time_zone
    oldest = clock.day_in(zone, at=now - timedelta(days=settings.OUTBOX_RETENTION_DAYS))
    if since < oldest:
        raise InvalidInput({"since": [f"Messages are kept since {oldest.isoformat()}; ask for a later day."]})
    start, end = clock.end_of_day(zone, on=since - timedelta(days=1)), clock.end_of_day(zone, on=until)
    made = Delivery.objects.filter(organization=by.organization, endpoint=None, sent_at__gte=start, sent_at__lt=end)
    made = made.exclude(last_error=NEEDLESS)
    digests = Digest.objects.filter(organization=by.organization, sent_at__gte=start, sent_at__lt=end)
    decisions = made.filter(message__topic__in=DECISION_TOPICS).order_by().values("message").distinct().count()
    found = burden([*_delivered(made, zone), *_digested(digests, zone)], decisions=decisions)
    return OrganizationsBurden(found, Person.objects.in_bulk(list(found.loads)))


def _delivered(made: QuerySet[Delivery], zone: str) -> Iterator[Message]:
    for delivery in made.only("recipient_id", "sent_at", "channel", "needs_act").order_by("pk").iterator():
        if delivery.recipient_id is not None and delivery.sent_at is not None:
            day = clock.day_in(zone, at=delivery.sent_at)
            yield Message(delivery.recipient_id, day, ChannelName(delivery.channel), delivery.needs_act)


def _digested(digests: QuerySet[Digest], zone: str) -> Iterator[Message]:
    for digest in digests.order_by("pk"):
        if digest.sent_at is not None:
            yield Message(digest.person_id, clock.day_in(zone, at=digest.sent_at), ChannelName.EMAIL, is_digest=True)
