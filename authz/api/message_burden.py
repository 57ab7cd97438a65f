"""How many messages the people of an organization get: a person, and a decision."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authz import clock
from authz.api.metrics import PERIOD, TAG, PeriodIn
from authz.api.views import Asking
from authz.notifications.burden import selectors
from authz.notifications.burden.figures import Burden, Load
from authz.notifications.matrix import OUTSIDE
from authz.reporting.periods import Period
from authz.reporting.sheet import rounded


class SentOut(serializers.Serializer[Any]):
    """How many went out of the house, by channel; digests are mails."""

    def get_fields(self) -> dict[str, Any]:
        return {channel.value: serializers.IntegerField() for channel in sorted(OUTSIDE)}


class PersonsLoadOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    notices = serializers.IntegerField(help_text="In the inbox.")
    needing_act = serializers.IntegerField(help_text="How many of them asked for an act.")
    sent = SentOut()
    digests = serializers.IntegerField(help_text="How many of the mails were digests.")
    busiest_day = serializers.IntegerField(help_text="The most that went out on one day.")


class MessageBurdenOut(serializers.Serializer[Any]):
    """What the people of your organization got in a period. Per decision: each that the organization heard of."""

    since = serializers.DateField()
    until = serializers.DateField()
    decisions = serializers.IntegerField()
    notices = serializers.IntegerField()
    needing_act = serializers.IntegerField()
    sent = SentOut()
    notices_per_decision = serializers.CharField(allow_null=True, help_text="Two decimals; null without a decision.")
    sent_per_decision = serializers.CharField(allow_null=True, help_text="Two decimals; null without a decision.")
    median_sent_per_person = serializers.CharField(allow_null=True, help_text="Null when nobody got anything.")
    busiest_day = serializers.IntegerField(help_text="The most that went out to one person on one day.")
    people = PersonsLoadOut(many=True)


class MessageBurdenView(Asking):
    query = PeriodIn

    @extend_schema(operation_id="read_message_burden", tags=TAG, parameters=PERIOD, responses=MessageBurdenOut)
    def get(self, request: Request) -> Response:
        """Tell how many messages your people got. They are kept for as long as the operator says, at first 90 days."""
        asked = self.asked()
        period = Period(asked["since"], asked["until"])
        found = selectors.burden_of(self.actor, since=period.since, until=period.until, now=clock.now())
        people = sorted(found.people.values(), key=lambda person: (person.full_name, person.pk))
        told = {
            "since": period.since,
            "until": period.until,
            **_total(found.burden),
            "people": [
                {"id": person.public_id, "name": person.full_name, **_load(found.burden.loads[person.pk])}
                for person in people
            ],
        }
        return Response(MessageBurdenOut(told).data)


def _total(burden: Burden) -> dict[str, Any]:
    return {
        "decisions": burden.decisions,
        "notices": burden.notices,
        "needing_act": burden.acts,
        "sent": {channel.value: burden.sent.get(channel, 0) for channel in OUTSIDE},
        "notices_per_decision": rounded(burden.notices_per_decision),
        "sent_per_decision": rounded(burden.sent_per_decision),
        "median_sent_per_person": rounded(burden.median_sent_per_person),
        "busiest_day": burden.busiest_day,
    }


def _load(load: Load) -> dict[str, Any]:
    return {
        "notices": load.notices,
        "needing_act": load.acts,
        "sent": {channel.value: load.sent.get(channel, 0) for channel in OUTSIDE},
        "digests": load.digests,
        "busiest_day": load.busiest_day,
    }
