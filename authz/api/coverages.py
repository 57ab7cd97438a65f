"""Who pays for a patient, from when to when."""

from typing import Any

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.request import Request
from rest_framework.response import Response

from authz.access.roles import Action, must_be_allowed
from authz.api.fields import Day, In, PublicId, Text, WholeNumber, Word
from authz.api.organizations import PlanOut
from authz.api.outcomes import recorded
from authz.api.references import PatientRef
from authz.api.views import IDEMPOTENCY_KEY, Door, Listing
from authz.errors import NotFound
from authz.ids import CoverageId, PatientId
from authz.prescriptions import selectors
from authz.prescriptions.facts import CoverageFacts
from authz.prescriptions.models import Coverage
from authz.prescriptions.services import RecordOutcome
from authz.prior_auths.services import intake


class CoverageIn(In):
    """Name the `plan`, or, when the payer is none we know, its name. Both days are included; no end is open."""

    patient = PatientRef()
    plan = PublicId(required=False, allow_null=True, default=None)
    payer_name = Text(max_length=200, required=False, allow_blank=True, default="")
    member_id = Text(max_length=64)
    starts_on = Day()
    ends_on = Day(required=False, allow_null=True, default=None)
    priority = WholeNumber(required=False, default=1, min_value=1, max_value=9, help_text="1 is billed first.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["plan"] is None and not attrs["payer_name"]:
            raise serializers.ValidationError({"plan": [ErrorDetail("Name a plan, or the payer.", code="required")]})
        if attrs["ends_on"] is not None and attrs["ends_on"] < attrs["starts_on"]:
            backwards = ErrorDetail("The coverage ends before it starts.", code="runs-backwards")
            raise serializers.ValidationError({"ends_on": [backwards]})
        return attrs


class CoverageOut(serializers.Serializer[Coverage]):
    id = serializers.UUIDField(source="public_id")
    patient = serializers.UUIDField(source="patient.public_id")
    plan = PlanOut(allow_null=True)
    payer_name = serializers.CharField()
    member_id = serializers.CharField()
    starts_on = serializers.DateField()
    ends_on = serializers.DateField(allow_null=True)
    priority = serializers.IntegerField()
    recorded_at = serializers.DateTimeField()


class RecordedCoverageOut(CoverageOut):
    outcome = Word(RecordOutcome)


class IdentityQuestionOut(serializers.Serializer[Any]):
    """The coverage is not recorded: a person must first say whether two patients are one."""

    question = serializers.UUIDField()
    reason = serializers.CharField()


class CoverageFilters(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    patient = filters.UUIDFilter(field_name="patient__public_id")
    member_id = filters.CharFilter(field_name="member_id_index", label="Exactly.")

    class Meta:
        model = Coverage
        fields: list[str] = []


class CoveragesView(Listing):
    queryset = Coverage.objects.none()
    serializer_class = CoverageOut
    filterset_class = CoverageFilters

    @extend_schema(operation_id="list_coverages", tags=["coverages"], responses=CoverageOut(many=True))
    def get(self, request: Request) -> Response:
        """List the coverages your organization recorded, and for an insurer all of its plans."""
        return self.listed(selectors.coverages(self.actor))

    @extend_schema(
        operation_id="record_coverage",
        tags=["coverages"],
        parameters=[IDEMPOTENCY_KEY],
        request=CoverageIn,
        responses={201: RecordedCoverageOut, 200: RecordedCoverageOut, 202: IdentityQuestionOut},
    )
    def post(self, request: Request) -> Response:
        """Record a coverage. 202: the member number is another patient's, and a person is asked who is who."""
        must_be_allowed(self.actor, Action.RECORD_COVERAGE)
        values = self.read(CoverageIn)
        patient_id = values.pop("patient")
        facts = CoverageFacts(plan_id=values.pop("plan"), **values)
        return self.once(lambda: self._record(patient_id, facts))

    def _record(self, patient_id: PatientId, facts: CoverageFacts) -> Response:
        done = intake.record_coverage(patient_id=patient_id, facts=facts, by=self.actor, now=self.now)
        if done.question is not None:
            return Response({"question": str(done.question.public_id), "reason": done.question.reason}, status=202)
        assert done.coverage is not None  # noqa: S101 - it is either recorded or a question
        row = selectors.coverages(self.actor).get(pk=done.coverage.pk)
        return recorded(dict(CoverageOut(row).data), done.outcome, "coverage")


class CoverageView(Door):
    @extend_schema(operation_id="read_coverage", tags=["coverages"], responses=CoverageOut)
    def get(self, request: Request, coverage_id: CoverageId) -> Response:
        """Read one coverage."""
        found = selectors.coverages(self.actor).filter(public_id=coverage_id).first()
        if found is None:
            raise NotFound("There is no such coverage.")
        return Response(CoverageOut(found).data)
