"""Written orders. They count until they are dispensed, cancelled or out of date."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authz.access.roles import Action, Actor, must_be_allowed
from authz.api.fields import In, NearDay, Text, WholeNumber, Word
from authz.api.outcomes import recorded
from authz.api.records import RecordIn, RecordOut, renamed
from authz.api.views import IDEMPOTENCY_KEY, Door, Listing
from authz.errors import NotFound
from authz.ids import PrescriptionId
from authz.prescriptions import selectors
from authz.prescriptions.facts import PrescriptionFacts
from authz.prescriptions.models import Prescription
from authz.prescriptions.services import RecordOutcome
from authz.prior_auths.services import intake


class PrescriptionIn(RecordIn):
    written_on = NearDay(
        days_ahead=366, help_text="In the clinic's calendar; a day ahead is an order to be filled then."
    )
    refills = WholeNumber(required=False, allow_null=True, min_value=0, max_value=99)
    directions = Text(max_length=500, required=False, allow_blank=True)


class PrescriptionOut(RecordOut):
    written_on = serializers.DateField()
    refills = serializers.IntegerField(allow_null=True)
    directions = serializers.CharField()

    def values_of(self, record: Any, latest: Any) -> dict[str, Any]:
        return super().values_of(record, latest) | {
            "written_on": latest.starts_on,
            "refills": latest.refills,
            "directions": latest.directions,
        }


class RecordedPrescriptionOut(PrescriptionOut):
    outcome = Word(RecordOutcome)


class PrescriptionFilters(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    patient = filters.UUIDFilter(field_name="patient__public_id")
    identifier = filters.CharFilter(label="Your own number for the order, exactly.")

    class Meta:
        model = Prescription
        fields: list[str] = []


class PrescriptionsView(Listing):
    queryset = Prescription.objects.none()
    serializer_class = PrescriptionOut
    filterset_class = PrescriptionFilters

    @extend_schema(operation_id="list_prescriptions", tags=["prescriptions"], responses=PrescriptionOut(many=True))
    def get(self, request: Request) -> Response:
        """List the orders your organization recorded."""
        return self.listed(selectors.prescriptions(self.actor))

    @extend_schema(
        operation_id="record_prescription",
        tags=["prescriptions"],
        parameters=[IDEMPOTENCY_KEY],
        request=PrescriptionIn,
        responses={201: RecordedPrescriptionOut, 200: RecordedPrescriptionOut},
    )
    def post(self, request: Request) -> Response:
        """Record a written order, or a correction of one; a request is opened when the use now needs one."""
        must_be_allowed(self.actor, Action.RECORD_PRESCRIPTION)
        values = self.read(PrescriptionIn, today=self.today())
        return self.once(lambda: self._record(values))

    def _record(self, values: Mapping[str, Any]) -> Response:
        facts = PrescriptionFacts(**renamed(values, written_on="starts_on"))
        order, outcome = intake.record_prescription(
            patient_id=values["patient"], facts=facts, by=self.actor, now=self.now
        )
        return recorded(_body(self.actor, order.public_id), outcome, "prescription")


class PrescriptionView(Door):
    @extend_schema(operation_id="read_prescription", tags=["prescriptions"], responses=PrescriptionOut)
    def get(self, request: Request, prescription_id: PrescriptionId) -> Response:
        """Read one order as it is known now."""
        return Response(_body(self.actor, prescription_id))


class CancellationView(Door):
    @extend_schema(
        operation_id="cancel_prescription",
        tags=["prescriptions"],
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses=RecordedPrescriptionOut,
    )
    def post(self, request: Request, prescription_id: PrescriptionId) -> Response:
        """Record that an order was cancelled; it counts no more."""
        must_be_allowed(self.actor, Action.RECORD_PRESCRIPTION)
        self.read(In)
        return self.once(lambda: self._cancel(prescription_id))

    def _cancel(self, prescription_id: PrescriptionId) -> Response:
        order, outcome = intake.cancel_prescription(prescription_id=prescription_id, by=self.actor, now=self.now)
        return Response({**_body(self.actor, order.public_id), "outcome": outcome.value})


def _body(by: Actor, prescription_id: UUID) -> dict[str, Any]:
    order = selectors.prescriptions(by).filter(public_id=prescription_id).first()
    if order is None:
        raise NotFound("There is no such prescription.")
    return dict(PrescriptionOut(order).data)
