"""What requests cost a clinic: the touches of its people, and the time they took."""

from typing import Any, ClassVar

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from authz.api.csv_answers import ALSO_CSV, CSV, sheet, wants_csv
from authz.api.metrics import PERIOD, TAG, PeriodIn
from authz.api.views import Asking
from authz.reporting import selectors
from authz.reporting.figures import Times
from authz.reporting.periods import Period
from authz.reporting.sheet import WORK_COLUMNS, rounded, written


class TouchesOut(serializers.Serializer[Any]):
    """What people of the clinic did to these requests, a request: steps, answers, documents, appeals and calls."""

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


class ProductivityView(Asking):
    renderer_classes: ClassVar[list[type[BaseRenderer]]] = ALSO_CSV  # type: ignore[misc]  # narrower is meant
    query = PeriodIn

    @extend_schema(
        operation_id="read_productivity",
        tags=TAG,
        parameters=PERIOD,
        responses={(200, "application/json"): ProductivityOut, (200, CSV): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Tell what the requests that your clinic submitted in a period cost it, up to now."""
        asked = self.asked()
        work = selectors.clinics_work(self.actor, Period(asked["since"], asked["until"]))
        if wants_csv(request):
            return sheet(written(WORK_COLUMNS, work.lines))
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
