"""What requests cost a clinic: the touches of its people, and the time they took."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authz.api.metrics import PERIOD, TAG, PeriodIn, read_query
from authz.api.views import Door
from authz.reporting import selectors
from authz.reporting.figures import Times
from authz.reporting.periods import Period
from authz.reporting.sheet import rounded


class TouchesOut(serializers.Serializer[Any]):
    """Steps that people of the clinic took on these requests, a request."""

    total = serializers.IntegerField()
    mean = serializers.CharField(allow_null=True)
    median = serializers.CharField(allow_null=True)


class ElapsedOut(serializers.Serializer[Any]):
    """Of how many requests, and how long, rounded half up to two decimals; null of none."""

    requests = serializers.IntegerField()
    mean_hours = serializers.CharField(allow_null=True)
    median_hours = serializers.CharField(allow_null=True)


class PersonsWorkOut(serializers.Serializer[Any]):
    id = serializers.UUIDField(source="person.public_id")
    name = serializers.CharField(source="person.full_name")
    touches = serializers.IntegerField()
    requests = serializers.IntegerField(help_text="On how many.")


class ProductivityOut(serializers.Serializer[Any]):
    """Of the requests that the clinic submitted in a period."""

    since = serializers.DateField()
    until = serializers.DateField()
    requests = serializers.IntegerField()
    touches = TouchesOut()
    opened_to_submitted = ElapsedOut()
    submitted_to_decided = ElapsedOut()
    people = PersonsWorkOut(many=True)


class ProductivityView(Door):
    parameters: ClassVar[frozenset[str]] = frozenset({"since", "until"})

    @extend_schema(operation_id="read_productivity", tags=TAG, parameters=PERIOD, responses=ProductivityOut)
    def get(self, request: Request) -> Response:
        """Tell what the requests that your clinic submitted in a period cost it, up to now."""
        asked = read_query(request, PeriodIn)
        work = selectors.clinics_work(self.actor, Period(asked["since"], asked["until"]))
        total = work.total
        told = {
            "since": work.period.since,
            "until": work.period.until,
            "requests": len(total.touches),
            "touches": {
                "total": sum(total.touches),
                "mean": rounded(total.mean_touches),
                "median": rounded(total.median_touches),
            },
            "opened_to_submitted": _elapsed(total.to_submit),
            "submitted_to_decided": _elapsed(total.to_decide),
            "people": work.people,
        }
        return Response(ProductivityOut(told).data)


def _elapsed(times: Times) -> dict[str, Any]:
    return {
        "requests": len(times.microseconds),
        "mean_hours": rounded(times.mean_hours),
        "median_hours": rounded(times.median_hours),
    }
