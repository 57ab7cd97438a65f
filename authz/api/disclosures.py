"""An accounting to a patient of who received what the organization holds of them."""

from typing import Any, ClassVar

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from authz.api.csv_answers import ALSO_CSV, CSV, sheet, wants_csv
from authz.api.fields import Day, In, Word
from authz.api.views import Asking
from authz.ids import PatientId
from authz.reporting.accounting import accounting
from authz.reporting.disclosures import Disclosed, Purpose, Told, disclosure_lines


class AccountingIn(In):
    """Which days, both included, in your organization's calendar."""

    since = Day(required=False, default=None)
    until = Day(required=False, default=None)


class DisclosureOut(serializers.Serializer[Told]):
    """What one organization received for one purpose: the first time, the last, and how many times."""

    recipient = serializers.CharField(help_text="The organization's name.")
    what = Word(Disclosed)
    record = serializers.UUIDField(source="record_id", help_text="The request; of opioid use, the patient.")
    purpose = Word(Purpose)
    first_at = serializers.DateTimeField()
    last_at = serializers.DateTimeField()
    times = serializers.IntegerField()


class AccountingOut(serializers.Serializer[Any]):
    """By recipient, then the latest first."""

    patient = serializers.UUIDField(source="patient.public_id")
    since = serializers.DateField(source="period.since")
    until = serializers.DateField(source="period.until")
    disclosures = DisclosureOut(source="lines", many=True)


class DisclosuresView(Asking):
    renderer_classes: ClassVar[list[type[BaseRenderer]]] = ALSO_CSV  # type: ignore[misc]  # narrower is meant
    query = AccountingIn

    @extend_schema(
        operation_id="account_for_disclosures",
        tags=["patients"],
        parameters=[
            OpenApiParameter("since", OpenApiTypes.DATE, description="The first day, at most six years ago."),
            OpenApiParameter("until", OpenApiTypes.DATE, description="The last day; today when left out."),
        ],
        responses={(200, "application/json"): AccountingOut, (200, CSV): OpenApiTypes.STR},
    )
    def get(self, request: Request, patient_id: PatientId) -> HttpResponseBase:
        """Account to a patient for who received what of them from your organization; for administrators.

        As JSON or, where accepted, as CSV. Reads are from the trail, and may name more than was shown, never less.
        """
        found = accounting(self.actor, patient_id, now=self.now, **self.asked())
        if wants_csv(request):
            return sheet(disclosure_lines(found.lines))
        return Response(AccountingOut(found).data)
