"""Opening a record in an emergency, and what administrators see of it."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authz.api.fields import EARLIEST_BIRTH, In, NearDay, PublicId, Text
from authz.api.organizations import OrganizationOut
from authz.api.views import IDEMPOTENCY_KEY, Listing
from authz.prescriptions.emergency import selectors, services
from authz.prescriptions.emergency.models import EmergencyAccess


class EmergencyAccessIn(In):
    """The patient as their insurance card and birth date name them."""

    plan = PublicId()
    member_id = Text(max_length=64)
    birth_date = NearDay(earliest=EARLIEST_BIRTH)
    reason = Text(max_length=1000, help_text="At least 20 characters; administrators read it.")


class EmergencyAccessOut(serializers.Serializer[EmergencyAccess]):
    id = serializers.UUIDField(source="public_id")
    patient = serializers.UUIDField(source="patient.public_id")
    organization = OrganizationOut()
    person = serializers.CharField(source="person.full_name")
    reason = serializers.CharField()
    opened_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(help_text="Until when `patients/{id}/opioid-use/` answers whoever opened it.")


class EmergencyAccessesView(Listing):
    queryset = EmergencyAccess.objects.none()
    serializer_class = EmergencyAccessOut
    problem_statuses: ClassVar[tuple[int, ...]] = (409,)

    @extend_schema(operation_id="list_emergency_accesses", tags=["emergency"], responses=EmergencyAccessOut(many=True))
    def get(self, request: Request) -> Response:
        """List the emergencies that your organization is concerned with, newest first; for administrators."""
        return self.listed(selectors.accesses(self.actor))

    @extend_schema(
        operation_id="open_in_emergency",
        tags=["emergency"],
        parameters=[IDEMPOTENCY_KEY],
        request=EmergencyAccessIn,
        responses={201: EmergencyAccessOut},
    )
    def post(self, request: Request) -> Response:
        """Open the opioid use of somebody who is not your clinic's patient, for a few hours; all concerned are told."""
        values = self.read(EmergencyAccessIn, today=self.today())
        values["plan_id"] = values.pop("plan")
        return self.once(lambda: self._open(values))

    def _open(self, values: dict[str, Any]) -> Response:
        row = services.open_record(**values, by=self.actor, now=self.now)
        return Response(EmergencyAccessOut(row).data, status=201)
