"""What orders and fills have in common on the wire."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from authz.api.fields import Amount, Days, In, Instant, Ndc, Npi, Rxcui, Text, Truth, Word
from authz.api.references import PatientRef
from authz.errors import InvalidInput
from authz.prescriptions.part2 import notice
from authz.rules.records import RecordStatus


class RecordIn(In):
    """`identifier` is your own number for the record: told again it is the same record, told otherwise a correction.

    The product is named by its RxNorm code, or by an NDC, which the current release of the formulary resolves to one.
    """

    patient = PatientRef()
    identifier = Text(max_length=100)
    rxcui = Rxcui(max_length=8, required=False, help_text="RxNorm code of the product; needed unless `ndc` is given.")
    ndc = Ndc(max_length=13, required=False, help_text="Eleven digits, or ten in three groups (0002-8215-01).")
    product_name = Text(max_length=300, required=False, allow_blank=True)
    quantity = Amount(help_text="In the product's dispensing unit: tablets, patches, mL, sprays.")
    days_supply = Days()
    daily_units = Amount(required=False, allow_null=True, help_text="The most such units a day.")
    prescriber_npi = Npi(required=False, allow_null=True)
    source_updated_at = Instant(required=False, allow_null=True, help_text="When your record last changed.")
    part2 = Truth(required=False, help_text="It comes from a program under 42 CFR Part 2; left out, as said before.")

    def faults_between(self, data: Mapping[str, Any]) -> dict[str, list[ErrorDetail]]:
        if "rxcui" in data and "ndc" in data:
            return {"ndc": [ErrorDetail("Give the RxNorm code or the NDC, not both.", code="one-of-two")]}
        if "rxcui" not in data and "ndc" not in data:
            sentence = "Give the RxNorm code of the product, or its NDC as `ndc`."
            return {"rxcui": [ErrorDetail(sentence, code="required")]}
        return {}

    def to_internal_value(self, data: Any) -> Any:
        values = super().to_internal_value(data)
        ndc = values.pop("ndc", None)
        return values if ndc is None else {**values, "rxcui": ndc}


class RecordOut(serializers.Serializer[Any]):
    """The record as it is known now; `version` counts what was ever told of it."""

    id = serializers.UUIDField()
    patient = serializers.UUIDField()
    identifier = serializers.CharField()
    status = Word(RecordStatus)
    version = serializers.IntegerField()
    rxcui = serializers.CharField()
    product_name = serializers.CharField()
    quantity = serializers.DecimalField(max_digits=12, decimal_places=4, normalize_output=True, allow_null=True)
    days_supply = serializers.IntegerField(allow_null=True)
    daily_units = serializers.DecimalField(max_digits=12, decimal_places=4, normalize_output=True, allow_null=True)
    prescriber_npi = serializers.CharField(allow_null=True)
    recorded_at = serializers.DateTimeField()
    source_updated_at = serializers.DateTimeField(allow_null=True)
    part2 = serializers.BooleanField(help_text="It comes from a program under 42 CFR Part 2.")
    redisclosure_notice = serializers.CharField(help_text="That of 42 CFR 2.32, or empty.")

    shared: ClassVar[tuple[str, ...]] = (
        "status",
        "version",
        "rxcui",
        "product_name",
        "quantity",
        "days_supply",
        "daily_units",
        "recorded_at",
        "source_updated_at",
    )

    def to_representation(self, instance: Any) -> dict[str, Any]:
        return dict(super().to_representation(self.values_of(instance, instance.newest_first[0])))

    def values_of(self, record: Any, latest: Any) -> dict[str, Any]:
        """Return the values of a record from its identity and its newest version."""
        return {
            "id": record.public_id,
            "patient": record.patient.public_id,
            "identifier": record.identifier,
            "prescriber_npi": latest.prescriber.npi if latest.prescriber else None,
            "part2": latest.is_part2,
            "redisclosure_notice": notice(is_part2=latest.is_part2),
            **{name: getattr(latest, name) for name in self.shared},
        }


def renamed(values: Mapping[str, Any], **names: str) -> dict[str, Any]:
    """Return the values under the names the facts have for them, without the patient, who is no part of the facts."""
    names = {"part2": "is_part2", **names}
    return {names.get(name, name): value for name, value in values.items() if name != "patient"}


@contextmanager
def told_at(place: str) -> Iterator[None]:
    """Put `place`, such as `items[3]`, before the fields that a service refuses."""
    try:
        yield
    except InvalidInput as error:
        raise InvalidInput({f"{place}.{name}": found for name, found in error.fields.items()}) from error
