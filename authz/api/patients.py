"""Patients, by the number the organization itself gives them."""

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authz.access.roles import Action, must_be_allowed
from authz.api.fields import EARLIEST_BIRTH, In, NearDay, PublicId, Text, Word
from authz.api.outcomes import recorded
from authz.api.views import IDEMPOTENCY_KEY, Door, Listing
from authz.ids import PatientId
from authz.prescriptions import selectors
from authz.prescriptions.facts import PatientFacts
from authz.prescriptions.models import Patient, PatientIdentifier
from authz.prescriptions.services import RecordOutcome
from authz.prior_auths.services import intake


class PatientIn(In):
    """`identifier` is your own number for the patient; the same number is the same patient.

    With `plan` and `member_id` a new patient joins the one known under that member id, when the birth dates agree.
    """

    identifier = Text(max_length=64)
    family_name = Text(max_length=120)
    given_name = Text(max_length=120, allow_blank=True)
    birth_date = NearDay(earliest=EARLIEST_BIRTH, allow_null=True)
    plan = PublicId(required=False, allow_null=True, default=None)
    member_id = Text(max_length=64, required=False, allow_blank=True, default="")


class PatientOut(serializers.Serializer[Patient]):
    """Names and numbers are those your organization gave; another organization's are never shown."""

    id = serializers.UUIDField(source="public_id")
    identifier = serializers.SerializerMethodField(help_text="Your first number for the patient.")
    identifiers = serializers.SerializerMethodField(help_text="All numbers your organization has for the patient.")
    family_name = serializers.SerializerMethodField()
    given_name = serializers.SerializerMethodField()
    birth_date = serializers.DateField(allow_null=True)
    registered_at = serializers.DateTimeField()

    def get_identifier(self, patient: Patient) -> str:
        return str(_own(patient)[0].value)

    def get_identifiers(self, patient: Patient) -> list[str]:
        return [own.value for own in _own(patient)]

    def get_family_name(self, patient: Patient) -> str:
        return str(_named(patient).family_name)

    def get_given_name(self, patient: Patient) -> str:
        return str(_named(patient).given_name)


class RecordedPatientOut(PatientOut):
    outcome = Word(RecordOutcome)


class PatientFilters(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    identifier = filters.CharFilter(method="by_identifier", label="Your own number for the patient, exactly.")

    class Meta:
        model = Patient
        fields: list[str] = []

    def by_identifier(self, rows: QuerySet[Patient], name: str, value: str) -> QuerySet[Patient]:
        own = self.request.user.organization
        return rows.filter(identifiers__assigner_id=own, identifiers__value_index=value).distinct()


class PatientsView(Listing):
    queryset = Patient.objects.none()
    serializer_class = PatientOut
    filterset_class = PatientFilters

    @extend_schema(operation_id="list_patients", tags=["patients"], responses=PatientOut(many=True))
    def get(self, request: Request) -> Response:
        """List the patients your organization has a number for."""
        return self.listed(selectors.patients(self.actor))

    @extend_schema(
        operation_id="register_patient",
        tags=["patients"],
        parameters=[IDEMPOTENCY_KEY],
        request=PatientIn,
        responses={201: RecordedPatientOut, 200: RecordedPatientOut},
    )
    def post(self, request: Request) -> Response:
        """Register a patient under your own number, or correct the name given under it."""
        must_be_allowed(self.actor, Action.RECORD_PATIENT)
        values = self.read(PatientIn, today=self.today())
        facts = PatientFacts(plan_id=values.pop("plan"), **values)
        return self.once(lambda: self._register(facts))

    def _register(self, facts: PatientFacts) -> Response:
        patient, outcome = intake.register_patient(facts=facts, by=self.actor, now=self.now)
        row = selectors.patient(self.actor, PatientId(patient.public_id))
        return recorded(PatientOut(row).data, outcome, "patient")


class PatientView(Door):
    @extend_schema(operation_id="read_patient", tags=["patients"], responses=PatientOut)
    def get(self, request: Request, patient_id: PatientId) -> Response:
        """Read one patient."""
        return Response(PatientOut(selectors.patient(self.actor, patient_id)).data)


def _own(patient: Any) -> list[PatientIdentifier]:
    found: list[PatientIdentifier] = patient.own_identifiers
    return found


def _named(patient: Patient) -> PatientIdentifier:
    """Return the identifier that carries a name: an insurer's member number may come without one."""
    own = _own(patient)
    return next((row for row in own if row.family_name), own[0])
