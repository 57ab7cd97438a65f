"""A patient's opioid use as the actor's organization may see it: as known on a day, and what became other since."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from authz import clock
from authz.access.models import Organization
from authz.access.roles import Actor, OrganizationKind
from authz.access.selectors import organization
from authz.errors import Forbidden, InvalidInput, NotFound
from authz.ids import PatientId
from authz.policies.version import PolicyVersion
from authz.prescriptions import selectors as prescriptions
from authz.prescriptions.emergency import selectors as emergency
from authz.prescriptions.emergency.models import EmergencyAccess
from authz.prescriptions.models import Patient
from authz.prior_auths import needs as needs_of
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.needs import PatientCase, PayerVerdict
from authz.prior_auths.visibility import visible_to
from authz.rules.changes import Changes, Known, changes
from authz.rules.counterfactual import counterfactual
from authz.rules.explain_changes import change_sentences
from authz.rules.formulary import Formulary, Product
from authz.rules.records import Case, Record
from authz.rules.verdict import Episode


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenRecord:
    """An order or fill as any of the patient's organizations may see it: what and when, never whose.

    `ignored_because` is empty when the record counts; `is_own` says that the reader's organization recorded it;
    `is_part2` that it is under 42 CFR Part 2.
    """

    record_id: UUID
    kind: str
    starts_on: date
    rxcui: str
    product_name: str
    quantity: Decimal | None
    days_supply: int | None
    ignored_because: str
    attention: tuple[str, ...]
    is_own: bool
    is_part2: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OpioidUse:
    """A patient's use as known on a day: one payer's verdict, in words and as data, and the records behind it.

    `ways_out` says, for the latest use that needs authorization, the smallest changes that would avoid the need.
    """

    patient: Patient
    as_of: date
    payer: PayerVerdict
    sentences: list[str]
    ways_out: list[str]
    records: list[SeenRecord]


@dataclass(frozen=True, slots=True, kw_only=True)
class UseChanges:
    """A patient's use as known on two days: the payer's verdict on either, and what became other, in words too."""

    patient: Patient
    since: date
    until: date
    before: PayerVerdict
    after: PayerVerdict
    differences: Changes
    sentences: list[str]


class Calendar(NamedTuple):
    """The calendar of the organization that asks."""

    zone: str
    today: date


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPatient:
    """A patient whose use `by` may see: what the rule reads of them, fetched once, and the calendar to see it in.

    `emergency` is the one for which alone they may; then of nothing but the use.
    """

    by: Actor
    case: PatientCase
    calendar: Calendar
    emergency: EmergencyAccess | None = None


def opioid_use(by: Actor, patient_id: PatientId, *, now: datetime, as_of: date | None = None) -> OpioidUse:
    """Return a patient's use as known on a day; without one, today in the organization's calendar.

    Of several payers the one whose coverage is in force on that day answers. An insurer sees a member's use once a
    request of theirs has been submitted to it: until then it has no question that the answer would serve.

    :raises NotFound: when the organization does not know the patient.
    :raises Forbidden: when an insurer has received no request of theirs.
    """
    return use_of(known_patient(by, patient_id, now=now), as_of=as_of)


def use_of(known: KnownPatient, *, as_of: date | None = None) -> OpioidUse:
    """Return the same of a patient who was fetched already."""
    day = as_of or known.calendar.today
    payer = payer_on(known.case, day, known.calendar)
    return OpioidUse(
        patient=known.case.patient,
        as_of=day,
        payer=payer,
        sentences=payer.sentences,
        ways_out=ways_out_of(payer.case, payer.verdict.episodes, payer.formulary),
        records=_seen(known.case, payer, known.by),
    )


def opioid_use_changes(
    by: Actor, patient_id: PatientId, *, now: datetime, since: date, until: date | None = None
) -> UseChanges:
    """Return what is known of a patient's use on a day, today without one, otherwise than on an earlier day.

    :raises NotFound: when the organization does not know the patient.
    :raises Forbidden: when an insurer has received no request of theirs.
    :raises InvalidInput: when the days are the wrong way round.
    """
    return changes_of(known_patient(by, patient_id, now=now), since=since, until=until)


def changes_of(known: KnownPatient, *, since: date, until: date | None = None) -> UseChanges:
    """Return the same of a patient who was fetched already.

    :raises InvalidInput: when the days are the wrong way round.
    """
    last = until or known.calendar.today
    if since > last:
        raise InvalidInput({"from": [f"The day must not be after {last}, the one to compare with."]})
    before, after = (payer_on(known.case, day, known.calendar) for day in (since, last))
    then, now_known = Known(before.case, before.verdict), Known(after.case, after.verdict)
    told = changes(then, now_known)
    return UseChanges(
        patient=known.case.patient,
        since=since,
        until=last,
        before=before,
        after=after,
        differences=told,
        sentences=[*_other_policy(before.policy, after.policy), *change_sentences(told, then, now_known)],
    )


def _other_policy(before: PolicyVersion, after: PolicyVersion) -> Iterator[str]:
    if before.key != after.key:
        then, now = (f"{policy.title} ({policy.code}, version {policy.version})" for policy in (before, after))
        yield f"Another policy answers: {then} before, {now} since."


def ways_out_of(case: Case, episodes: Iterable[Episode], formulary: Formulary) -> list[str]:
    """Return the smallest changes that would avoid the need of the last of these episodes, in words."""
    needing = [episode for episode in episodes if episode.pa_required_from]
    found = [counterfactual(case, episode, formulary) for episode in needing[-1:]]
    return [way.sentence for way in found if way is not None]


def patient_with_use(by: Actor, patient_id: PatientId, *, reader: Organization | None = None) -> Patient:
    """Return a patient whose opioid use the actor may see; `reader` is their organization, where it is at hand.

    :raises NotFound: when the organization does not know the patient.
    :raises Forbidden: when an insurer has received no request of theirs.
    """
    patient = prescriptions.patient(by, patient_id)
    is_clinic = (reader or organization(by)).kind == OrganizationKind.CLINIC.value
    if not is_clinic and not PriorAuth.objects.filter(visible_to(by), patient=patient).exists():
        raise Forbidden("You see a member's opioid use once a request of theirs has been submitted to you.")
    return patient


def known_patient(
    by: Actor, patient_id: PatientId, *, now: datetime, reader: Organization | None = None
) -> KnownPatient:
    """Fetch once what the rule reads of a patient whose use the actor may see.

    `reader` is the actor's organization, where it is at hand already.

    :raises NotFound: when the organization does not know the patient.
    :raises Forbidden: when an insurer has received no request of theirs.
    """
    whose = reader or organization(by)
    calendar = Calendar(zone=whose.time_zone, today=clock.day_in(whose.time_zone, at=now))
    try:
        patient, opened = patient_with_use(by, patient_id, reader=whose), None
    except NotFound:
        # Asked second: hardly anybody comes for an emergency.
        opened = emergency.opened(by, patient_id, now=now)
        if opened is None:
            raise
        patient = opened.patient
    return KnownPatient(by=by, case=needs_of.case_of(patient), calendar=calendar, emergency=opened)


def payer_on(known: PatientCase, day: date, calendar: Calendar) -> PayerVerdict:
    """Return the answer, on a day, of the payer whose coverage is in force then."""
    known_at = clock.end_of_day(calendar.zone, on=day) if day < calendar.today else None
    payers = needs_of.answers(known, as_of=day, known_at=known_at)
    coverage = prescriptions.coverage_on(known.coverages, day)
    key = coverage.plan_id if coverage else None
    return next((payer for payer in payers if (payer.plan.pk if payer.plan else None) == key), payers[0])


def _seen(known: PatientCase, payer: PayerVerdict, by: Actor) -> list[SeenRecord]:
    ignored = {item.record_id: item.reason.value for item in payer.verdict.ignored}
    attention: dict[str, list[str]] = {}
    for item in payer.verdict.attention:
        attention.setdefault(item.record_id, []).append(item.reason.value)
    own = known.recorded_by(by.organization_id)
    visible = known.newest_on(payer.verdict.as_of).values()
    return [
        _seen_one(
            record,
            payer.formulary.product(record.rxcui),
            ignored.get(record.id, ""),
            tuple(attention.get(record.id, ())),
            is_own=record.id in own,
            is_part2=record.id in known.part2,
        )
        for record in sorted(visible, key=lambda r: (r.start, r.id))
    ]


def _seen_one(
    record: Record,
    product: Product | None,
    ignored_because: str,
    attention: tuple[str, ...],
    *,
    is_own: bool,
    is_part2: bool,
) -> SeenRecord:
    return SeenRecord(
        record_id=UUID(record.id),
        kind=record.kind.value,
        starts_on=record.start,
        rxcui=record.rxcui,
        product_name=product.name if product else record.rxcui,
        quantity=record.quantity,
        days_supply=record.days_supply,
        ignored_because=ignored_because,
        attention=attention,
        is_own=is_own,
        is_part2=is_part2,
    )
