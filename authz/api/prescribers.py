"""Prescribers, by National Provider Identifier."""

from typing import Any

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authz.access.roles import Action, must_be_allowed
from authz.api.fields import In, Npi, Text, Word
from authz.api.outcomes import recorded
from authz.api.views import IDEMPOTENCY_KEY, Door, Listing
from authz.errors import NotFound
from authz.ids import PrescriberId
from authz.prescriptions import selectors, services
from authz.prescriptions.models import Prescriber
from authz.prescriptions.services import RecordOutcome


class PrescriberIn(In):
    """A clinician who writes prescriptions for your organization."""

    npi = Npi()
    family_name = Text(max_length=120)
    given_name = Text(max_length=120)


class PrescriberOut(serializers.Serializer[Prescriber]):
    id = serializers.UUIDField(source="public_id")
    npi = serializers.CharField()
    family_name = serializers.CharField()
    given_name = serializers.CharField()


class RecordedPrescriberOut(PrescriberOut):
    outcome = Word(RecordOutcome)


class PrescriberFilters(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    npi = filters.CharFilter(label="National Provider Identifier, exactly.")

    class Meta:
        model = Prescriber
        fields: list[str] = []


class PrescribersView(Listing):
    queryset = Prescriber.objects.none()
    serializer_class = PrescriberOut
    filterset_class = PrescriberFilters

    @extend_schema(operation_id="list_prescribers", tags=["prescribers"], responses=PrescriberOut(many=True))
    def get(self, request: Request) -> Response:
        """List the prescribers who work with your organization."""
        return self.listed(selectors.prescribers(self.actor))

    @extend_schema(
        operation_id="record_prescriber",
        tags=["prescribers"],
        parameters=[IDEMPOTENCY_KEY],
        request=PrescriberIn,
        responses={201: RecordedPrescriberOut, 200: RecordedPrescriberOut},
    )
    def post(self, request: Request) -> Response:
        """Record that a prescriber works with your organization. A known NPI keeps the name it has."""
        must_be_allowed(self.actor, Action.RECORD_PRESCRIBER)
        values = self.read(PrescriberIn)
        return self.once(lambda: self._record(values))

    def _record(self, values: dict[str, Any]) -> Response:
        prescriber, outcome = services.record_prescriber(**values, by=self.actor, now=self.now)
        return recorded(dict(PrescriberOut(prescriber).data), outcome, "prescriber")


class PrescriberView(Door):
    @extend_schema(operation_id="read_prescriber", tags=["prescribers"], responses=PrescriberOut)
    def get(self, request: Request, prescriber_id: PrescriberId) -> Response:
        """Read one prescriber."""
        found = selectors.prescribers(self.actor).filter(public_id=prescriber_id).first()
        if found is None:
            raise NotFound("There is no such prescriber.")
        return Response(PrescriberOut(found).data)
