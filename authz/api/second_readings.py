"""Approvals by rule that a person reads a second time: which, and what was found."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authz.api.fields import In, OneOf, Text, Word
from authz.api.filters import TruthFilter
from authz.api.views import IDEMPOTENCY_KEY, Door, Listing
from authz.ids import DeterminationId
from authz.prior_auths import second_readings
from authz.prior_auths.determination import SecondFinding
from authz.prior_auths.models import Determination
from authz.prior_auths.services import second_readings as reading


class SecondReadingIn(In):
    """What you found; `note` says why, where you disagree."""

    finding = OneOf(SecondFinding)
    note = Text(max_length=2000, required=False, default="")

    def validate_finding(self, finding: str) -> SecondFinding:
        return SecondFinding(finding)


class SecondReadingOut(serializers.Serializer[Determination]):
    """An approval by rule that was chosen to be read. `finding` and what follows it are null until somebody has."""

    determination = serializers.UUIDField(source="public_id")
    prior_authorization = serializers.UUIDField(source="prior_auth.public_id")
    number = serializers.CharField(source="prior_auth.number")
    decided_at = serializers.DateTimeField()
    trace = serializers.JSONField(help_text="What the rule was shown, criterion by criterion.")
    finding = Word(SecondFinding, source="second_reading.finding", allow_null=True, default=None)
    note = serializers.CharField(source="second_reading.note", allow_null=True, default=None)
    read_at = serializers.DateTimeField(source="second_reading.read_at", allow_null=True, default=None)
    read_by = serializers.CharField(source="second_reading.read_by.full_name", allow_null=True, default=None)


class SecondReadingFilters(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    is_read = TruthFilter(method="by_reading", label="Whether somebody has read it.")

    class Meta:
        model = Determination
        fields: list[str] = []

    def by_reading(self, rows: QuerySet[Determination], name: str, value: bool) -> QuerySet[Determination]:
        return rows.filter(second_reading__isnull=not value)


class SecondReadingsView(Listing):
    queryset = Determination.objects.none()
    serializer_class = SecondReadingOut
    filterset_class = SecondReadingFilters
    is_oldest_first = True

    @extend_schema(operation_id="list_second_readings", tags=["review queue"], responses=SecondReadingOut(many=True))
    def get(self, request: Request) -> Response:
        """List your insurer's approvals by rule that were chosen to be read by a person."""
        return self.listed(second_readings.sampled(self.actor))


class SecondReadingView(Door):
    problem_statuses: ClassVar[tuple[int, ...]] = (409,)

    @extend_schema(
        operation_id="read_a_second_time",
        tags=["review queue"],
        parameters=[IDEMPOTENCY_KEY],
        request=SecondReadingIn,
        responses=SecondReadingOut,
    )
    def post(self, request: Request, determination_id: DeterminationId) -> Response:
        """Record what you found of an approval by rule. It changes no decision: a request can be reopened."""
        values = self.read(SecondReadingIn)
        return self.once(lambda: self._read(determination_id, values))

    def _read(self, determination_id: DeterminationId, values: dict[str, Any]) -> Response:
        found = reading.read(determination_id=determination_id, by=self.actor, now=self.now, **values)
        return Response(SecondReadingOut(found).data)
