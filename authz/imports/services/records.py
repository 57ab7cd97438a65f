"""Take in what lines tell of orders and fills: one transaction for each patient of a chunk, and one recheck."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from authz.access.roles import Action, may
from authz.errors import AuthzError
from authz.ids import PatientId
from authz.imports.refusals import Refusal
from authz.imports.services.people import as_refusal, register
from authz.imports.services.reception import NOT_AN_OPIOID, Reception, Tally
from authz.imports.told import EndTold, Kind, NoOpioidTold, RecordTold, kind_of
from authz.prescriptions.facts import FillFacts, PrescriptionFacts
from authz.prescriptions.models import FillVersion, Prescriber, Prescription, PrescriptionVersion
from authz.prescriptions.services import RecordOutcome, record_prescriber
from authz.prior_auths.services import intake
from authz.rules.records import RecordStatus

ORDER_NOT_KNOWN = "order_not_known"
PRESCRIBER_NOT_KNOWN = "prescriber_not_known"


class RecordLine(NamedTuple):
    """A line that tells of an order or a fill."""

    number: int
    told: RecordTold


@dataclass(frozen=True, slots=True)
class _Known:
    """What the database already holds of the numbers that a chunk of lines names."""

    patients: dict[str, PatientId]
    npis: frozenset[str]
    orders: dict[str, str | None]
    """Each order's identifier with its prescriber's NPI."""


def take_records(*, lines: Sequence[RecordLine], reception: Reception, tally: Tally, now: datetime) -> None:
    """Record orders and fills. What is refused is counted with its reason; the other lines go on."""
    known = _known(lines, reception)
    for group in _by_patient(lines, reception, known, tally):
        _take_group(group, lambda some: _record(some, reception, known, now), tally)


def _take_group(
    group: Sequence[RecordLine], record: Callable[[Sequence[RecordLine]], "list[_Done]"], tally: Tally
) -> None:
    """Record one patient's lines together; when that is refused, line by line, to find the one that is wrong."""
    try:
        with transaction.atomic():
            done = record(group)
    except (AuthzError, Refusal) as error:
        if len(group) > 1:
            for line in group:
                _take_group([line], record, tally)
            return
        tally.refuse(group[0].number, as_refusal(error, path=group[0].told.path))
    else:
        for item in done:
            tally.touched.add(item.patient_id)
            for kind, what in item.counted:
                tally.count(kind, what)


class _Done(NamedTuple):
    patient_id: PatientId
    counted: tuple[tuple[Kind, str], ...]


def _known(lines: Sequence[RecordLine], reception: Reception) -> _Known:
    told = [line.told for line in lines]
    npis = {item.prescriber.npi for item in told if item.prescriber}
    named = {_order_of(item.facts, reception) for item in told if isinstance(item.facts, FillFacts)}
    orders = Prescription.objects.filter(organization=reception.organization, identifier__in=named - {None})
    latest = (
        PrescriptionVersion.objects.filter(prescription__in=orders)
        .order_by("prescription_id", "-version")
        .distinct("prescription_id")
    )
    return _Known(
        patients=reception.numbered(item.patient for item in told),
        npis=frozenset(Prescriber.objects.filter(npi__in=npis).values_list("npi", flat=True)),
        orders=dict(latest.values_list("prescription__identifier", "prescriber__npi")),
    )


def _by_patient(
    lines: Iterable[RecordLine], reception: Reception, known: _Known, tally: Tally
) -> list[list[RecordLine]]:
    groups: dict[object, list[RecordLine]] = {}
    for line in lines:
        told = line.told
        try:
            key = (told.patient, told.registers) if told.registers else _patient(told, reception, known)
        except Refusal as refusal:
            tally.refuse(line.number, refusal)
        else:
            groups.setdefault(key, []).append(line)
    return list(groups.values())


def _patient(told: RecordTold, reception: Reception, known: _Known) -> PatientId:
    return reception.find(told.patient, known.patients, f"{told.path}.subject" if told.path else "patient")


def _record(lines: Sequence[RecordLine], reception: Reception, known: _Known, now: datetime) -> list[_Done]:
    """Record one patient's lines, all or none.

    :raises AuthzError: as the services that record them do.
    """
    patient_id, registered = _whose(lines, reception, known, now)
    linked = [_linked(line.told, reception, known, now) for line in lines]
    facts = [item for item, _ in linked]
    recorded = intake.record_all(patient_id=patient_id, facts=facts, by=reception.by, now=now)
    done = []
    for line, (_, remarks), (_, outcome) in zip(lines, linked, recorded, strict=True):
        kind = kind_of(line.told)
        if line.told.address:
            reception.orders[line.told.address] = line.told.facts.identifier
        done.append(_Done(patient_id, ((kind, outcome.value), *((kind, remark) for remark in remarks))))
    return [*done, _Done(patient_id, registered)]


def _whose(
    lines: Sequence[RecordLine], reception: Reception, known: _Known, now: datetime
) -> tuple[PatientId, tuple[tuple[Kind, str], ...]]:
    """Return the lines' one patient, registered first where the lines tell of the patient too."""
    facts = lines[0].told.registers
    if facts is None:
        return _patient(lines[0].told, reception, known), ()
    patient_id, outcome = register(facts=facts, reception=reception, now=now)
    # Every line repeats the patient: only news is worth counting.
    return patient_id, () if outcome is RecordOutcome.UNCHANGED else ((Kind.PATIENT, outcome.value),)


def _linked(
    told: RecordTold, reception: Reception, known: _Known, now: datetime
) -> tuple[FillFacts | PrescriptionFacts, list[str]]:
    """Return the facts with only such links as lead somewhere, and a remark for each link left out."""
    remarks = []
    facts: FillFacts | PrescriptionFacts = replace(told.facts, prescriber_npi=_npi(told, reception, known, now))
    if isinstance(facts, FillFacts):
        order = _order_of(facts, reception)
        is_known = order in known.orders
        if order is not None and not is_known:
            remarks.append(ORDER_NOT_KNOWN)
        npi = facts.prescriber_npi or known.orders.get(order or "")
        facts = replace(facts, prescription_identifier=order if is_known else None, prescriber_npi=npi)
    if told.prescriber and facts.prescriber_npi is None:
        remarks.append(PRESCRIBER_NOT_KNOWN)
    return facts, remarks


def _npi(told: RecordTold, reception: Reception, known: _Known, now: datetime) -> str | None:
    """Return the prescriber's NPI when we know who that is, or are told it."""
    prescriber = told.prescriber
    if prescriber is None:
        return None
    if not may(reception.by, Action.RECORD_PRESCRIBER):
        return prescriber.npi if prescriber.npi in known.npis else None
    if prescriber.npi not in known.npis and not prescriber.family_name:
        return None
    record_prescriber(
        npi=prescriber.npi,
        family_name=prescriber.family_name,
        given_name=prescriber.given_name,
        by=reception.by,
        now=now,
    )
    return prescriber.npi


def _order_of(facts: FillFacts | PrescriptionFacts, reception: Reception) -> str | None:
    """Return the identifier of the order that a fill names, also when it names it by a Bundle's own address."""
    named = facts.prescription_identifier if isinstance(facts, FillFacts) else None
    if named is None or not named.startswith("urn:"):
        return named
    return reception.orders.get(named, named)


def take_ends(
    *, lines: Sequence[tuple[int, EndTold | NoOpioidTold]], reception: Reception, tally: Tally, now: datetime
) -> None:
    """Take back what no longer stands, and what turns out to be no opioid although it was recorded as one."""
    held = {**_held(lines, Kind.FILL, reception), **_held(lines, Kind.ORDER, reception)}
    for number, told in lines:
        latest = held.get((told.kind, told.identifier))
        try:
            counted = _end(told, latest, reception, tally, now)
        except (AuthzError, Refusal) as error:
            tally.refuse(number, as_refusal(error, path=told.path))
        else:
            tally.count(told.kind, counted)


def _end(
    told: EndTold | NoOpioidTold,
    latest: FillVersion | PrescriptionVersion | None,
    reception: Reception,
    tally: Tally,
    now: datetime,
) -> str:
    if latest is None and isinstance(told, EndTold):
        sentence = "No record of this id is known here, and it says too little to keep."
        raise Refusal("nothing-to-take-back", f"{told.path}.status", sentence)
    is_held = latest is not None and latest.status != RecordStatus.ENTERED_IN_ERROR.value
    if latest is None or (isinstance(told, NoOpioidTold) and not is_held):
        return NOT_AN_OPIOID
    status = told.status if isinstance(told, EndTold) else RecordStatus.ENTERED_IN_ERROR
    facts, patient_id = _ended(latest, status, told.source_updated_at)
    ((_, outcome),) = intake.record_all(patient_id=patient_id, facts=[facts], by=reception.by, now=now)
    tally.touched.add(patient_id)
    return outcome.value


def _held(
    lines: Sequence[tuple[int, EndTold | NoOpioidTold]], kind: Kind, reception: Reception
) -> dict[tuple[Kind, str], FillVersion | PrescriptionVersion]:
    """Return the current version of each record of that kind which the lines name and we hold."""
    named = [told.identifier for _, told in lines if told.kind is kind]
    if kind is Kind.FILL:
        fills = FillVersion.objects.filter(fill__organization=reception.organization, fill__identifier__in=named)
        newest = fills.select_related("fill__patient", "prescriber", "prescription").order_by("fill_id", "-version")
        return {(kind, version.fill.identifier): version for version in newest.distinct("fill_id")}
    orders = PrescriptionVersion.objects.filter(
        prescription__organization=reception.organization, prescription__identifier__in=named
    )
    last = orders.select_related("prescription__patient", "prescriber").order_by("prescription_id", "-version")
    return {(kind, version.prescription.identifier): version for version in last.distinct("prescription_id")}


def _ended(
    latest: FillVersion | PrescriptionVersion, status: RecordStatus, source_updated_at: datetime | None
) -> tuple[FillFacts | PrescriptionFacts, PatientId]:
    """Return what is known of the record, with its new status, and whose it is."""
    if isinstance(latest, FillVersion):
        return _ended_fill(latest, status, source_updated_at), PatientId(latest.fill.patient.public_id)
    return _ended_order(latest, status, source_updated_at), PatientId(latest.prescription.patient.public_id)


def _ended_fill(latest: FillVersion, status: RecordStatus, source_updated_at: datetime | None) -> FillFacts:
    return FillFacts(
        identifier=latest.fill.identifier,
        status=status,
        starts_on=latest.starts_on,
        rxcui=latest.rxcui,
        product_name=latest.product_name,
        quantity=latest.quantity,
        days_supply=latest.days_supply,
        daily_units=latest.daily_units,
        prescriber_npi=latest.prescriber.npi if latest.prescriber else None,
        source_updated_at=source_updated_at,
        fill_number=latest.fill_number,
        rx_number=latest.rx_number,
        prescription_identifier=latest.prescription.identifier if latest.prescription else None,
    )


def _ended_order(
    latest: PrescriptionVersion, status: RecordStatus, source_updated_at: datetime | None
) -> PrescriptionFacts:
    return PrescriptionFacts(
        identifier=latest.prescription.identifier,
        status=status,
        starts_on=latest.starts_on,
        rxcui=latest.rxcui,
        product_name=latest.product_name,
        quantity=latest.quantity,
        days_supply=latest.days_supply,
        daily_units=latest.daily_units,
        prescriber_npi=latest.prescriber.npi if latest.prescriber else None,
        source_updated_at=source_updated_at,
        refills=latest.refills,
        directions=latest.directions,
    )
