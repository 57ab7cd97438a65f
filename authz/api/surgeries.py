"""Days of surgery, which keep the pain signal silent. A clinic's own; no insurer sees any."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authz.access.roles import Action, must_be_allowed
from authz.api.fields import In, Instant, NearDay, Text, Word
from authz.api.outcomes import recorded
from authz.api.records import renamed
from authz.api.references import PatientRef
from authz.api.views import IDEMPOTENCY_KEY, Door, Listing
from authz.errors import NotFound
from authz.ids import PatientId, SurgeryId
from authz.pain import selectors, services
from authz.pain.facts import SurgeryFacts
from authz.pain.models import Surgery
from authz.prescriptions.services import RecordOutcome
from authz.rules.records import RecordStatus


class SurgeryIn(In):
    """`identifier` is your own number for the operation: told again it is the same, told otherwise a correction."""

    patient = PatientRef()
    identifier = Text(max_length=100)
    performed_on = NearDay(help_text="In your calendar.")
    source_updated_at = Instant(
        required=False, allow_null=True, default=None, help_text="When your record last changed."
    )


class SurgeryOut(serializers.Serializer[Any]):
    """The surgery as it is known now; `version` counts what was ever told of it."""

    id = serializers.UUIDField()
    patient = serializers.UUIDField()
    identifier = serializers.CharField()
    status = Word(RecordStatus)
    version = serializers.IntegerField()
    performed_on = serializers.DateField()
    recorded_at = serializers.DateTimeField()
    recorded_by = serializers.CharField(help_text="The person or the machine that told it.")
    source_updated_at = serializers.DateTimeField(allow_null=True)

    def to_representation(self, instance: Any) -> dict[str, Any]:
        latest = instance.newest_first[0]
        own = ("status", "version", "performed_on", "recorded_at", "recorded_by", "source_updated_at")
        named = {
            "id": instance.public_id,
            "patient": instance.patient.public_id,
            "identifier": instance.identifier,
        }
        return dict(super().to_representation({name: getattr(latest, name) for name in own} | named))


class RecordedSurgeryOut(SurgeryOut):
    outcome = Word(RecordOutcome)


class SurgeryFilters(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    patient = filters.UUIDFilter(field_name="patient__public_id")
    identifier = filters.CharFilter(label="Your own number for the surgery, exactly.")

    class Meta:
        model = Surgery
        fields: list[str] = []


class SurgeriesView(Listing):
    queryset = Surgery.objects.none()
    serializer_class = SurgeryOut
    filterset_class = SurgeryFilters

    @extend_schema(operation_id="list_surgeries", tags=["pain"], responses=SurgeryOut(many=True))
    def get(self, request: Request) -> Response:
        """List the surgeries your organization recorded."""
        return self.listed(selectors.surgeries(self.actor))

    @extend_schema(
        operation_id="record_surgery",
        tags=["pain"],
        parameters=[IDEMPOTENCY_KEY],
        request=SurgeryIn,
        responses={201: RecordedSurgeryOut, 200: RecordedSurgeryOut},
    )
    def post(self, request: Request) -> Response:
        """Record a day of surgery, or a correction of one."""
        must_be_allowed(self.actor, Action.RECORD_SURGERY)
        values = self.read(SurgeryIn, today=self.today())
        return self.once(lambda: self._record(values))

    def _record(self, values: Mapping[str, Any]) -> Response:
        surgery, outcome = services.record_surgery(
            patient_id=PatientId(values["patient"]), facts=SurgeryFacts(**renamed(values)), by=self.actor, now=self.now
        )
        return recorded(_body(selectors.surgeries(self.actor), surgery.public_id), outcome, "surgery")


class SurgeryView(Door):
    @extend_schema(operation_id="read_surgery", tags=["pain"], responses=SurgeryOut)
    def get(self, request: Request, surgery_id: SurgeryId) -> Response:
        """Read one surgery as it is known now."""
        return Response(_body(selectors.surgeries(self.actor), surgery_id))


class SurgeryInErrorView(Door):
    @extend_schema(
        operation_id="take_back_surgery",
        tags=["pain"],
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses=RecordedSurgeryOut,
    )
    def post(self, request: Request, surgery_id: SurgeryId) -> Response:
        """Record that a surgery was entered in error; it counts no more."""
        must_be_allowed(self.actor, Action.RECORD_SURGERY)
        self.read(In)
        return self.once(lambda: self._take_back(surgery_id))

    def _take_back(self, surgery_id: SurgeryId) -> Response:
        surgery, outcome = services.take_back_surgery(surgery_id=surgery_id, by=self.actor, now=self.now)
        return Response({**_body(selectors.surgeries(self.actor), surgery.public_id), "outcome": outcome.value})


def _body(rows: QuerySet[Surgery], surgery_id: UUID) -> dict[str, Any]:
    surgery = rows.filter(public_id=surgery_id).first()
    if surgery is None:
        raise NotFound("There is no such surgery.")
    return dict(SurgeryOut(surgery).data)
