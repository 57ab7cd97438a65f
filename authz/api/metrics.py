"""Figures on requests and decisions, and the requests behind each; docs/metrics.md defines them."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.filters import BaseFilterBackend
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from authz.api.csv_answers import ALSO_CSV, CSV, sheet, wants_csv
from authz.api.fields import Day, In, OneOf, PublicId, Word
from authz.api.organizations import OrganizationOut, PlanOut
from authz.api.pages import CURSOR, LIMIT
from authz.api.views import Asking, Listing
from authz.prior_auths.deadlines import Urgency
from authz.prior_auths.models import PriorAuth
from authz.reporting import selectors
from authz.reporting.figures import PERCENTAGES, Figure, Speed
from authz.reporting.periods import Every, Period
from authz.reporting.selectors import Block, By, Counted, Whose
from authz.reporting.sheet import lines, published

TAG = ["metrics"]


class PeriodIn(In):
    """The days, both included."""

    since = Day()
    until = Day()


class WhoseIn(In):
    """Of whom."""

    payer = PublicId(required=False, default=None)
    plan = PublicId(required=False, default=None)


class MetricsIn(PeriodIn, WhoseIn):
    """Which figures."""

    period = OneOf(Every, required=False, default=None)
    by = OneOf(By, required=False, default=By.PAYER.value)


class CountedRequestsIn(PeriodIn, WhoseIn):
    """Which figure."""

    figure = OneOf(Figure)
    urgency = OneOf(Speed, required=False, default=Speed.ALL.value)


PERIOD = [
    OpenApiParameter("since", OpenApiTypes.DATE, required=True, description="The first day."),
    OpenApiParameter("until", OpenApiTypes.DATE, required=True, description="The last day, at most ten years later."),
]
WHOSE = [
    OpenApiParameter("payer", OpenApiTypes.UUID, description="Requests to this insurer only."),
    OpenApiParameter("plan", OpenApiTypes.UUID, description="Requests under this plan only."),
]


class CountsOut(serializers.Serializer[Any]):
    """How many requests count in each figure."""

    def get_fields(self) -> dict[str, Any]:
        return {figure.value: serializers.IntegerField() for figure in Figure}


class PercentageOut(serializers.Serializer[Any]):
    """Of the requests decided, rounded half up to two decimals."""

    numerator = serializers.IntegerField()
    denominator = serializers.IntegerField()
    percent = serializers.CharField(allow_null=True, help_text="Null when the denominator is 0.")


class PercentagesOut(serializers.Serializer[Any]):
    def get_fields(self) -> dict[str, Any]:
        return {figure.value: PercentageOut() for figure in PERCENTAGES}


class TimeToDecisionOut(serializers.Serializer[Any]):
    """From receipt to the first determination, rounded half up to two decimals; null when nothing was decided."""

    mean_hours = serializers.CharField(allow_null=True)
    median_hours = serializers.CharField(allow_null=True)
    mean_days = serializers.CharField(allow_null=True, help_text="Of 24 hours.")
    median_days = serializers.CharField(allow_null=True, help_text="Of 24 hours.")


class FiguresOut(serializers.Serializer[Any]):
    counts = CountsOut()
    percentages = PercentagesOut()
    time_to_decision = TimeToDecisionOut()


class BlockOut(serializers.Serializer[Any]):
    """The figures of one payer or plan in one piece of the period."""

    payer = OrganizationOut()
    plan = PlanOut(allow_null=True, help_text="Null when the figures are told by payer.")
    since = serializers.DateField()
    until = serializers.DateField()

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), **{speed.value: FiguresOut() for speed in Speed}}


class MetricsOut(serializers.Serializer[Any]):
    """By the payers' and plans' names, then from day to day."""

    since = serializers.DateField()
    until = serializers.DateField()
    results = BlockOut(many=True)


class MetricsView(Asking):
    renderer_classes: ClassVar[list[type[BaseRenderer]]] = ALSO_CSV  # type: ignore[misc]  # narrower is meant
    query = MetricsIn

    @extend_schema(
        operation_id="read_metrics",
        tags=TAG,
        parameters=[
            *PERIOD,
            *WHOSE,
            OpenApiParameter("period", enum=list(Every), description="Cut the days into these; whole when left out."),
            OpenApiParameter("by", enum=list(By), default=By.PAYER, description="Told apart by payer, or by plan."),
        ],
        responses={(200, "application/json"): MetricsOut, (200, CSV): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Tell how requests were decided, how often late, and how long it took, as JSON or, where accepted, as CSV."""
        asked = self.asked()
        period = Period(asked["since"], asked["until"])
        every = Every(asked["period"]) if asked["period"] else None
        blocks = selectors.metrics(self.actor, period, every=every, told_by=By(asked["by"]), of=whose(asked))
        if wants_csv(request):
            return sheet(lines(line for block in blocks for line in block.lines))
        told = {"since": period.since, "until": period.until, "results": [_block(block) for block in blocks]}
        return Response(MetricsOut(told).data)


class CountedRequestOut(serializers.Serializer[PriorAuth]):
    """A request behind a figure."""

    id = serializers.UUIDField(source="public_id")
    number = serializers.CharField()
    urgency = serializers.SerializerMethodField(help_text="As it counted when it was decided, or counts now.")
    counted_on = serializers.SerializerMethodField(help_text="The day, in its plan's calendar.")

    @extend_schema_field(Word(Urgency))
    def get_urgency(self, row: PriorAuth) -> str:
        return self._counted(row).speed.value

    @extend_schema_field(OpenApiTypes.DATE)
    def get_counted_on(self, row: PriorAuth) -> str:
        return self._counted(row).on.isoformat()

    def _counted(self, row: PriorAuth) -> Counted:
        found: Counted = self.context["counted"][row.pk]
        return found


class CountedRequestsView(Asking, Listing):
    queryset = PriorAuth.objects.none()
    serializer_class = CountedRequestOut
    # What is asked for is computed from events: there is no column to filter by.
    filter_backends: ClassVar[list[type[BaseFilterBackend]]] = []  # type: ignore[misc]  # narrower is meant
    parameters: ClassVar[frozenset[str]] = frozenset({CURSOR, LIMIT})
    query = CountedRequestsIn
    counted: Mapping[int, Counted]

    @extend_schema(
        operation_id="list_counted_requests",
        tags=TAG,
        parameters=[
            OpenApiParameter("figure", enum=list(Figure), required=True),
            OpenApiParameter("urgency", enum=list(Speed), default=Speed.ALL),
            *PERIOD,
            *WHOSE,
        ],
        responses=CountedRequestOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """List the requests that count in a figure, newest first."""
        asked = self.asked()
        rows, self.counted = selectors.counted_requests(
            self.actor,
            Period(asked["since"], asked["until"]),
            figure=Figure(asked["figure"]),
            speed=Speed(asked["urgency"]),
            of=whose(asked),
        )
        return self.listed(rows)

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "counted": getattr(self, "counted", {})}


def whose(asked: Mapping[str, Any]) -> Whose:
    """Return whose requests are asked about."""
    return Whose(payer=asked["payer"], plan=asked["plan"])


def _block(block: Block) -> dict[str, Any]:
    return {
        "payer": block.payer,
        "plan": block.plan,
        "since": block.period.since,
        "until": block.period.until,
        **{speed.value: published(tally) for speed, tally in block.tallies.items()},
    }
