"""Reasons why a patient's use needs no approval, with their evidence."""

from typing import Any

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.request import Request
from rest_framework.response import Response

from authz.access.roles import Action, must_be_allowed
from authz.api.fields import Day, In, OneOf, Text, Word
from authz.api.outcomes import recorded
from authz.api.references import PatientRef
from authz.api.views import IDEMPOTENCY_KEY, Door, Listing
from authz.errors import NotFound
from authz.ids import ExemptionId, PatientId
from authz.prescriptions import selectors
from authz.prescriptions.facts import ExemptionFacts
from authz.prescriptions.models import Exemption
from authz.prescriptions.services import RecordOutcome
from authz.prior_auths.services import intake
from authz.rules.records import ExemptionCategory


class ExemptionIn(In):
    """Both days are included; a missing one is open. `evidence` says what it rests on."""

    patient = PatientRef()
    category = OneOf(ExemptionCategory)
    starts_on = Day(required=False, allow_null=True, default=None)
    ends_on = Day(required=False, allow_null=True, default=None)
    evidence = Text(max_length=500)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["starts_on"] and attrs["ends_on"] and attrs["ends_on"] < attrs["starts_on"]:
            backwards = ErrorDetail("The exemption ends before it starts.", code="runs-backwards")
            raise serializers.ValidationError({"ends_on": [backwards]})
        return attrs | {"category": ExemptionCategory(attrs["category"])}


class ExemptionOut(serializers.Serializer[Exemption]):
    id = serializers.UUIDField(source="public_id")
    patient = serializers.UUIDField(source="patient.public_id")
    category = Word(ExemptionCategory)
    starts_on = serializers.DateField(allow_null=True)
    ends_on = serializers.DateField(allow_null=True)
    evidence = serializers.CharField()
    recorded_at = serializers.DateTimeField()
    withdrawn_at = serializers.DateTimeField(allow_null=True)


class RecordedExemptionOut(ExemptionOut):
    outcome = Word(RecordOutcome)


class ExemptionFilters(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    patient = filters.UUIDFilter(field_name="patient__public_id")

    class Meta:
        model = Exemption
        fields: list[str] = []


class ExemptionsView(Listing):
    queryset = Exemption.objects.none()
    serializer_class = ExemptionOut
    filterset_class = ExemptionFilters

    @extend_schema(operation_id="list_exemptions", tags=["exemptions"], responses=ExemptionOut(many=True))
    def get(self, request: Request) -> Response:
        """List the exemptions your organization recorded."""
        return self.listed(selectors.exemptions(self.actor))

    @extend_schema(
        operation_id="record_exemption",
        tags=["exemptions"],
        parameters=[IDEMPOTENCY_KEY],
        request=ExemptionIn,
        responses={201: RecordedExemptionOut, 200: RecordedExemptionOut},
    )
    def post(self, request: Request) -> Response:
        """Record an exemption; requests it makes needless lapse or are flagged."""
        must_be_allowed(self.actor, Action.RECORD_EXEMPTION)
        values = self.read(ExemptionIn)
        patient_id = values.pop("patient")
        facts = ExemptionFacts(**values)
        return self.once(lambda: self._record(patient_id, facts))

    def _record(self, patient_id: PatientId, facts: ExemptionFacts) -> Response:
        row, outcome = intake.record_exemption(patient_id=patient_id, facts=facts, by=self.actor, now=self.now)
        return recorded(dict(ExemptionOut(row).data), outcome, "exemption")


class ExemptionView(Door):
    @extend_schema(operation_id="read_exemption", tags=["exemptions"], responses=ExemptionOut)
    def get(self, request: Request, exemption_id: ExemptionId) -> Response:
        """Read one exemption."""
        found = selectors.exemptions(self.actor).filter(public_id=exemption_id).first()
        if found is None:
            raise NotFound("There is no such exemption.")
        return Response(ExemptionOut(found).data)


class WithdrawalView(Door):
    @extend_schema(
        operation_id="withdraw_exemption",
        tags=["exemptions"],
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses=ExemptionOut,
    )
    def post(self, request: Request, exemption_id: ExemptionId) -> Response:
        """Withdraw an exemption; what it excused is needed again."""
        must_be_allowed(self.actor, Action.RECORD_EXEMPTION)
        self.read(In)
        return self.once(lambda: self._withdraw(exemption_id))

    def _withdraw(self, exemption_id: ExemptionId) -> Response:
        row = intake.withdraw_exemption(exemption_id=exemption_id, by=self.actor, now=self.now)
        return Response(ExemptionOut(row).data)
