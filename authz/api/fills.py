"""Dispensings, one or many at a time. Recording one may open a request in the same transaction."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.request import Request
from rest_framework.response import Response

from authz.access.roles import Action, must_be_allowed
from authz.api.fields import In, NearDay, Text, WholeNumber, Word
from authz.api.outcomes import recorded
from authz.api.records import RecordIn, RecordOut, renamed, told_at
from authz.api.views import IDEMPOTENCY_KEY, Door, Listing
from authz.errors import InvalidInput, NotFound
from authz.ids import FillId, PatientId
from authz.prescriptions import selectors
from authz.prescriptions.facts import FillFacts
from authz.prescriptions.models import Fill
from authz.prescriptions.services import RecordOutcome
from authz.prior_auths.services import intake

LARGEST_BATCH = 500

Told = tuple[int, PatientId, FillFacts]
"""One item of a batch: its place, whose it is, and what it says."""


class FillIn(RecordIn):
    dispensed_on = NearDay(help_text="In the pharmacy's calendar.")
    fill_number = WholeNumber(required=False, allow_null=True, min_value=0, max_value=999, help_text="0 is the first.")
    rx_number = Text(max_length=100, required=False, allow_blank=True, help_text="The pharmacy's number of the order.")
    prescription = Text(max_length=100, required=False, allow_null=True, help_text="Your number of the order it fills.")


class FillOut(RecordOut):
    dispensed_on = serializers.DateField()
    fill_number = serializers.IntegerField(allow_null=True)
    rx_number = serializers.CharField()
    prescription = serializers.CharField(allow_null=True)

    def values_of(self, record: Any, latest: Any) -> dict[str, Any]:
        return super().values_of(record, latest) | {
            "dispensed_on": latest.starts_on,
            "fill_number": latest.fill_number,
            "rx_number": latest.rx_number,
            "prescription": latest.prescription.identifier if latest.prescription else None,
        }


class RecordedFillOut(FillOut):
    outcome = Word(RecordOutcome)


class BatchIn(In):
    """Up to 500 fills of any of your patients. All are recorded, or none."""

    items: Any = serializers.ListSerializer(child=FillIn(), min_length=1, max_length=LARGEST_BATCH)

    def validate_items(self, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        first: dict[str, int] = {}
        faults: list[dict[str, Any]] = [{} for _ in items]
        for place, item in enumerate(items):
            if first.setdefault(item["identifier"], place) != place:
                sentence = f"items[{first[item['identifier']]}] has the same identifier."
                faults[place] = {"identifier": [ErrorDetail(sentence, code="repeated-identifier")]}
        if any(faults):
            raise serializers.ValidationError(faults)
        return items


class BatchItemOut(serializers.Serializer[Any]):
    identifier = serializers.CharField()
    id = serializers.UUIDField()
    outcome = Word(RecordOutcome)


class BatchOut(serializers.Serializer[Any]):
    """What became of each item, in the order they were sent, and how many met each fate."""

    items = BatchItemOut(many=True)
    created = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    corrected = serializers.IntegerField()


class FillFilters(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    patient = filters.UUIDFilter(field_name="patient__public_id")
    identifier = filters.CharFilter(label="Your own number for the fill, exactly.")

    class Meta:
        model = Fill
        fields: list[str] = []


class FillsView(Listing):
    queryset = Fill.objects.none()
    serializer_class = FillOut
    filterset_class = FillFilters

    @extend_schema(operation_id="list_fills", tags=["fills"], responses=FillOut(many=True))
    def get(self, request: Request) -> Response:
        """List the fills your organization recorded."""
        return self.listed(selectors.fills(self.actor))

    @extend_schema(
        operation_id="record_fill",
        tags=["fills"],
        parameters=[IDEMPOTENCY_KEY],
        request=FillIn,
        responses={201: RecordedFillOut, 200: RecordedFillOut},
    )
    def post(self, request: Request) -> Response:
        """Record a dispensing, or a correction of one; a request is opened when the use now needs one."""
        must_be_allowed(self.actor, Action.RECORD_FILL)
        values = self.read(FillIn, today=self.today())
        return self.once(lambda: self._record(values))

    def _record(self, values: Mapping[str, Any]) -> Response:
        fill, outcome = intake.record_fill(
            patient_id=values["patient"], facts=_facts(values), by=self.actor, now=self.now
        )
        return recorded(_body(selectors.fills(self.actor), fill.public_id), outcome, "fill")


class FillBatchView(Door):
    @extend_schema(
        operation_id="record_fills",
        tags=["fills"],
        parameters=[IDEMPOTENCY_KEY],
        request=BatchIn,
        responses=BatchOut,
    )
    def post(self, request: Request) -> Response:
        """Record many dispensings at once. One wrong item refuses the whole batch, and nothing changes."""
        must_be_allowed(self.actor, Action.RECORD_FILL)
        items = self.read(BatchIn, today=self.today())["items"]
        told = [(place, item["patient"], _facts(item)) for place, item in enumerate(items)]
        return self.once(lambda: self._record(told))

    def _record(self, told: Sequence[Told]) -> Response:
        done: dict[int, dict[str, str]] = {}
        # Patients are locked in one order by everyone, or two batches could wait for each other for ever.
        for patient_id in sorted({patient_id for _, patient_id, _ in told}):
            own = [item for item in told if item[1] == patient_id]
            done |= self._record_patient(patient_id, own)
        items = [done[place] for place in sorted(done)]
        counts = {fate.value: sum(item["outcome"] == fate.value for item in items) for fate in RecordOutcome}
        return Response({"items": items, **counts})

    def _record_patient(self, patient_id: PatientId, own: Sequence[Told]) -> dict[int, dict[str, str]]:
        try:
            with transaction.atomic():
                facts = [fact for _, _, fact in own]
                done = intake.record_all(patient_id=patient_id, facts=facts, by=self.actor, now=self.now)
        except InvalidInput:
            # The batch is refused already; one at a time tells which item was to blame.
            self._name_the_wrong_item(own)
            raise
        return {
            place: {"identifier": fact.identifier, "id": str(row.public_id), "outcome": outcome.value}
            for (place, _, fact), (row, outcome) in zip(own, done, strict=True)
        }

    def _name_the_wrong_item(self, own: Iterable[Told]) -> None:
        for place, patient_id, fact in own:
            with told_at(f"items[{place}]"):
                intake.record_fill(patient_id=patient_id, facts=fact, by=self.actor, now=self.now)


class FillView(Door):
    @extend_schema(operation_id="read_fill", tags=["fills"], responses=FillOut)
    def get(self, request: Request, fill_id: FillId) -> Response:
        """Read one fill as it is known now."""
        return Response(_body(selectors.fills(self.actor), fill_id))


class ReversalView(Door):
    @extend_schema(
        operation_id="reverse_fill",
        tags=["fills"],
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses=RecordedFillOut,
    )
    def post(self, request: Request, fill_id: FillId) -> Response:
        """Record that a dispensing was reversed; it counts no more, and what rested on it alone is taken back."""
        must_be_allowed(self.actor, Action.RECORD_FILL)
        self.read(In)
        return self.once(lambda: self._reverse(fill_id))

    def _reverse(self, fill_id: FillId) -> Response:
        fill, outcome = intake.reverse_fill(fill_id=fill_id, by=self.actor, now=self.now)
        return Response({**_body(selectors.fills(self.actor), fill.public_id), "outcome": outcome.value})


def _facts(values: Mapping[str, Any]) -> FillFacts:
    return FillFacts(**renamed(values, dispensed_on="starts_on", prescription="prescription_identifier"))


def _body(rows: QuerySet[Fill], fill_id: UUID) -> dict[str, Any]:
    fill = rows.filter(public_id=fill_id).first()
    if fill is None:
        raise NotFound("There is no such fill.")
    return dict(FillOut(fill).data)
