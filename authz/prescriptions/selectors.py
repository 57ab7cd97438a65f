"""Patients, coverages, orders and fills, as the actor's organization may see them; and what the rule reads of them."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple, Protocol, TypedDict, TypeVar

from django.db.models import Exists, F, IntegerField, OuterRef, Prefetch, Q, QuerySet, Value

from authz.access.roles import Action, Actor, OrganizationKind, must_be_allowed
from authz.access.tenancy import across_tenants
from authz.audit.circumstances import saw_part2
from authz.errors import NotFound
from authz.ids import PatientId, PlanId
from authz.policies.models import Plan
from authz.prescriptions.models import (
    Coverage,
    Exemption,
    Fill,
    FillVersion,
    IdentityQuestion,
    Patient,
    PatientIdentifier,
    Prescriber,
    Prescription,
    PrescriptionVersion,
)
from authz.rules.records import Exemption as ExemptPeriod
from authz.rules.records import Record, RecordKind, RecordStatus


class _Shared(TypedDict):
    version: int
    recorded_on: date
    status: RecordStatus
    start: date
    rxcui: str
    quantity: Decimal | None
    days_supply: int | None
    daily_units: Decimal | None


_RECORDED = (
    "pk", "kind", "recorded_id", "recorder", "order_id", "rx_number", "fill_number", "version", "recorded_on", "status",
    "starts_on", "rxcui", "quantity", "days_supply", "daily_units", "is_part2",
)  # fmt: skip


def patients(by: Actor) -> QuerySet[Patient]:
    """Return the patients the organization has a number for; `own_identifiers` is what it calls them, no more."""
    must_be_allowed(by, Action.READ_PATIENTS)
    own = PatientIdentifier.objects.filter(assigner_id=by.organization).order_by("pk")
    return Patient.objects.filter(Exists(own.filter(patient=OuterRef("pk")))).prefetch_related(
        Prefetch("identifiers", queryset=own, to_attr="own_identifiers")
    )


def name_by(organization_id: int | None, patient: Patient) -> str:
    """Return the latest name that an organization itself gave a patient; empty when it never gave one."""
    for known in PatientIdentifier.objects.filter(assigner=organization_id, patient=patient).order_by("-pk"):
        if typed := " ".join(part for part in (known.given_name, known.family_name) if part):
            return typed
    return ""


def patient(by: Actor, patient_id: PatientId) -> Patient:
    """Return one patient the organization knows, also under the id of one that was merged into them.

    :raises NotFound: when it knows no such patient.
    """
    must_be_allowed(by, Action.READ_PATIENTS)
    meant = Patient.objects.filter(Q(public_id=patient_id) | Q(merged_from__public_id=patient_id))
    own = PatientIdentifier.objects.filter(assigner_id=by.organization, patient__in=meant)
    rows = list(own.select_related("patient").order_by("patient", "pk"))
    if not rows:
        raise NotFound("There is no such patient.")
    found: Patient = rows[0].patient
    found.own_identifiers = [row for row in rows if row.patient_id == found.pk]  # type: ignore[attr-defined]  # as above
    return found


def coverages(by: Actor) -> QuerySet[Coverage]:
    """Return the coverages the organization recorded, and for an insurer all that name its plans."""
    must_be_allowed(by, Action.READ_PATIENTS)
    mine = Q(organization_id=by.organization) | Q(plan__insurer_id=by.organization)
    return Coverage.objects.filter(mine).select_related("plan__insurer", "patient")


def coverages_seen(by: Actor, coverages: Iterable[Coverage]) -> list[Coverage]:
    """Return of a patient's coverages, fetched with their plans, those that `coverages` lists; first billed first."""
    must_be_allowed(by, Action.READ_PATIENTS)
    seen = [
        row
        for row in coverages
        if row.organization_id == by.organization or (row.plan and row.plan.insurer_id == by.organization)
    ]
    return sorted(seen, key=lambda row: (row.priority, row.pk))


def plan_known_to(by: Actor, plan_id: PlanId) -> Plan:
    """Return an insurer's own plan, or one that covers a patient of the clinic, whoever recorded the coverage.

    :raises NotFound: when the organization has nothing to do with such a plan.
    """
    must_be_allowed(by, Action.READ_PATIENTS)
    clinics_own = PatientIdentifier.objects.filter(
        assigner_id=by.organization, assigner__kind=OrganizationKind.CLINIC.value, patient=OuterRef("patient")
    )
    covering = Coverage.objects.filter(Exists(clinics_own), plan=OuterRef("pk"))
    ours = Q(insurer_id=by.organization) | Exists(covering)
    with across_tenants("whoever recorded it, the coverage is of a patient of the clinic"):
        found = Plan.objects.select_related("insurer").filter(ours, public_id=plan_id).first()
    if found is None:
        raise NotFound("There is no such plan.")
    return found


def prescribers(by: Actor) -> QuerySet[Prescriber]:
    """Return the prescribers who work with the organization."""
    must_be_allowed(by, Action.READ_PATIENTS)
    return Prescriber.objects.filter(organizations=by.organization)


def prescriptions(by: Actor) -> QuerySet[Prescription]:
    """Return the organization's own orders; `newest_first` holds each one's versions."""
    must_be_allowed(by, Action.READ_PATIENTS)
    versions = PrescriptionVersion.objects.select_related("prescriber").order_by("-version")
    return (
        Prescription.objects.filter(organization_id=by.organization)
        .select_related("patient")
        .prefetch_related(Prefetch("versions", queryset=versions, to_attr="newest_first"))
    )


def fills(by: Actor) -> QuerySet[Fill]:
    """Return the organization's own fills; `newest_first` holds each one's versions."""
    must_be_allowed(by, Action.READ_PATIENTS)
    versions = FillVersion.objects.select_related("prescriber", "prescription").order_by("-version")
    return (
        Fill.objects.filter(organization_id=by.organization)
        .select_related("patient")
        .prefetch_related(Prefetch("versions", queryset=versions, to_attr="newest_first"))
    )


def exemptions(by: Actor) -> QuerySet[Exemption]:
    """Return the exemptions the organization recorded."""
    must_be_allowed(by, Action.READ_PATIENTS)
    return Exemption.objects.filter(organization_id=by.organization).select_related("patient")


def identity_questions(by: Actor) -> QuerySet[IdentityQuestion]:
    """Return the organization's open questions of whether two patients are one."""
    must_be_allowed(by, Action.READ_PATIENTS)
    return IdentityQuestion.objects.filter(organization_id=by.organization, answered_at=None)


def fill_versions(patient: Patient) -> list[FillVersion]:
    """Return every version of every fill of a patient, whoever recorded it. For the rule, not for showing."""
    return list(FillVersion.objects.filter(fill__patient=patient).select_related("fill", "prescription").order_by("pk"))


def prescription_versions(patient: Patient) -> list[PrescriptionVersion]:
    """Return every version of every order of a patient, whoever recorded it. For the rule, not for showing."""
    return list(
        PrescriptionVersion.objects.filter(prescription__patient=patient).select_related("prescription").order_by("pk")
    )


def rule_records(fills: Iterable[FillVersion], prescriptions: Iterable[PrescriptionVersion]) -> tuple[Record, ...]:
    """Return the versions as the rule reads them; a record's id is its public id."""
    return (*(_fill_record(version) for version in fills), *(_order_record(version) for version in prescriptions))


class Recorded(NamedTuple):
    """A version as the rule reads it, the key of who recorded it, and whether it is under 42 CFR Part 2."""

    record: Record
    recorder: int
    is_part2: bool


def recorded(patient: Patient) -> list[Recorded]:
    """Return all that `rule_records` makes of a patient's orders and fills.

    One statement, and no rows between: a patient's page reads hundreds of them.
    """
    fills = FillVersion.objects.filter(fill__patient=patient).annotate(
        kind=Value(RecordKind.FILL.value),
        recorded_id=F("fill__public_id"),
        recorder=F("fill__organization"),
        order_id=F("prescription__public_id"),
    )
    orders = PrescriptionVersion.objects.filter(prescription__patient=patient).annotate(
        kind=Value(RecordKind.RX.value),
        recorded_id=F("prescription__public_id"),
        recorder=F("prescription__organization"),
        order_id=F("prescription__public_id"),
        rx_number=Value(""),
        fill_number=Value(None, output_field=IntegerField()),
    )
    told: Any = fills.values_list(*_RECORDED, named=True)
    union = told.union(orders.values_list(*_RECORDED, named=True), all=True)
    rows = sorted(union, key=lambda row: (row.kind, row.pk))
    if any(row.is_part2 for row in rows):
        saw_part2()
    return [Recorded(_record(row), row.recorder, row.is_part2) for row in rows]


def _record(row: Any) -> Record:
    return Record(
        kind=RecordKind(row.kind),
        id=str(row.recorded_id),
        rx_id=str(row.order_id) if row.order_id else row.rx_number or None,
        fill_number=row.fill_number,
        **_shared(row),
    )


def exempt_periods(patient: Patient) -> tuple[ExemptPeriod, ...]:
    """Return the exemptions known for a patient now, whoever recorded them."""
    return tuple(exempt_period(row) for row in held_exemptions(patient).order_by("pk"))


def held_exemptions(patient: Patient, *, known_at: datetime | None = None) -> QuerySet[Exemption]:
    """Return the exemptions that hold for a patient, whoever recorded them: now, or at an instant of the past."""
    if known_at is None:
        return patient.exemptions.filter(withdrawn_at=None)
    not_withdrawn = Q(withdrawn_at=None) | Q(withdrawn_at__gte=known_at)
    return patient.exemptions.filter(not_withdrawn, recorded_at__lt=known_at)


def exempt_period(row: Exemption) -> ExemptPeriod:
    """Return an exemption as the rule reads it."""
    return ExemptPeriod(category=row.category, start=row.starts_on, end=row.ends_on)


class CoveredPeriod(Protocol):
    """What tells which of several coverages is in force; `Coverage` is one."""

    @property
    def pk(self) -> Any: ...
    @property
    def priority(self) -> int: ...
    @property
    def starts_on(self) -> date: ...
    @property
    def ends_on(self) -> date | None: ...


_Covered = TypeVar("_Covered", bound=CoveredPeriod)


def coverage_on(coverages: Iterable[_Covered], day: date) -> _Covered | None:
    """Return the coverage in force on a day: of several the one billed first, then the one that began last."""
    in_force = [c for c in coverages if c.starts_on <= day and (c.ends_on is None or day <= c.ends_on)]
    return min(in_force, key=lambda c: (c.priority, -c.starts_on.toordinal(), c.pk), default=None)


def _fill_record(version: FillVersion) -> Record:
    # A fill linked to an order is that order's fill; otherwise two feeds of it meet by the pharmacy's number.
    order = version.prescription
    return Record(
        kind=RecordKind.FILL,
        id=str(version.fill.public_id),
        rx_id=str(order.public_id) if order else version.rx_number or None,
        fill_number=version.fill_number,
        **_shared(version),
    )


def _order_record(version: PrescriptionVersion) -> Record:
    order_id = str(version.prescription.public_id)
    return Record(kind=RecordKind.RX, id=order_id, rx_id=order_id, fill_number=None, **_shared(version))


def _shared(version: FillVersion | PrescriptionVersion) -> _Shared:
    return {
        "version": version.version,
        "recorded_on": version.recorded_on,
        "status": RecordStatus(version.status),
        "start": version.starts_on,
        "rxcui": version.rxcui,
        "quantity": version.quantity,
        "days_supply": version.days_supply,
        "daily_units": version.daily_units,
    }
