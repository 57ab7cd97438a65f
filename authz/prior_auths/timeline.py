"""What happened to a patient, in order: as the actor's organization may see it, and as it was known on a day.

Orders and fills are shown to whoever may see the opioid use; exemptions, pain scores and surgeries only to the clinic
that recorded them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from authz import clock
from authz.access.roles import Actor
from authz.formulary import selectors as formularies
from authz.ids import PatientId
from authz.pain import selectors as pain
from authz.pain.models import PainScoreVersion, SurgeryVersion
from authz.pain.sight import score_of
from authz.prescriptions import selectors as prescriptions
from authz.prescriptions.models import Patient
from authz.prior_auths import selectors
from authz.prior_auths.appeal_lifecycle import AppealOutcome, AppealStep
from authz.prior_auths.determination import Outcome
from authz.prior_auths.lifecycle import TABLE, Step
from authz.prior_auths.models import AppealEvent, Determination, Event
from authz.prior_auths.moments import Happening, Moment
from authz.prior_auths.opioid_use import Calendar, KnownPatient, known_patient
from authz.rules.amounts import plain, two_decimals
from authz.rules.formulary import Formulary
from authz.rules.pain_signal import Instrument
from authz.rules.records import Record, RecordKind, RecordStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The moments known on a day, oldest first."""

    patient: Patient
    as_of: date
    moments: list[Moment]


_ENDED: Mapping[RecordStatus, tuple[Happening, str]] = {
    RecordStatus.REVERSED: (Happening.REVERSAL, "Reversed"),
    RecordStatus.CANCELLED: (Happening.CANCELLATION, "Cancelled"),
    RecordStatus.ENTERED_IN_ERROR: (Happening.ENTERED_IN_ERROR, "Entered in error"),
}
STEPS: Mapping[Step, str] = {
    Step.OPEN: "was opened",
    Step.OPEN_BY_HAND: "was opened by hand",
    Step.RENEW: "was opened as a renewal",
    Step.SUBMIT: "was submitted",
    Step.REOPEN: "was reopened",
    Step.FORWARD: "went to the independent reviewer",
    Step.RECORD_INDEPENDENT_REVIEW: "was decided by the independent reviewer",
    Step.WITHDRAW: "was withdrawn",
    Step.RETRACT: "lapsed",
    Step.DISMISS: "was dismissed",
    Step.LINK_DUPLICATE: "was linked as a duplicate",
    Step.VOID: "was voided",
}
"""How a request begins, reaches the insurer, goes on and ends; a decision is told as a determination."""
REVIEWED: Mapping[AppealOutcome, str] = {
    AppealOutcome.UPHELD: "upheld",
    AppealOutcome.OVERTURNED: "overturned",
    AppealOutcome.PARTLY_OVERTURNED: "overturned in part",
}
"""What the independent reviewer made of the decision on a request."""
OUTCOMES: Mapping[Outcome, str] = {
    Outcome.APPROVED: "was approved",
    Outcome.PARTIALLY_APPROVED: "was approved in part",
    Outcome.DENIED: "was denied",
    Outcome.DEEMED_APPROVED: "is approved by law, not decided in time",
    Outcome.DEEMED_ADVERSE: "is adverse by law, not decided in time",
}
APPEALED: Mapping[AppealStep, str] = {
    AppealStep.FILE: "was appealed",
    AppealStep.UPHOLD: "was upheld on appeal",
    AppealStep.OVERTURN: "was overturned on appeal",
    AppealStep.OVERTURN_IN_PART: "was overturned in part on appeal",
    AppealStep.DISMISS: ": the appeal was dismissed",
    AppealStep.WITHDRAW: ": the appeal was withdrawn",
    AppealStep.FORWARD: ": the appeal went to the independent reviewer",
}
"""How an appeal begins and ends, as said of the decision on a request."""
_BEGINNINGS = frozenset(step.value for step, row in TABLE.items() if None in row.sources)


def timeline(by: Actor, patient_id: PatientId, *, now: datetime, as_of: date | None = None) -> Timeline:
    """Return what was known on a day to have happened; without one, today in the organization's calendar.

    :raises NotFound: when the organization does not know the patient.
    :raises Forbidden: when an insurer has received no request of theirs.
    """
    return timeline_of(known_patient(by, patient_id, now=now), as_of=as_of)


def timeline_of(known: KnownPatient, *, as_of: date | None = None, formulary: Formulary | None = None) -> Timeline:
    """Return the same of a patient who was fetched already, perhaps with the formulary that answers now."""
    by, patient, reader = known.by, known.case.patient, known.calendar
    day = as_of or reader.today
    found = [
        *_orders_and_fills(known, day, formulary or formularies.current()),
        *_exemptions(patient, by, reader, day),
        *_pain_scores(patient, by, day),
        *_surgeries(patient, by, day),
        *_requests(patient, by, reader),
        *_determinations(patient, by, reader, day),
        *_appeals(patient, by, reader),
    ]
    learned = [moment for moment in found if moment.learned_on <= day]
    return Timeline(patient=patient, as_of=day, moments=sorted(learned, key=_place))


def _place(moment: Moment) -> tuple[date, date, int]:
    return moment.on, moment.learned_on, list(Happening).index(moment.kind)


def _orders_and_fills(seen: KnownPatient, day: date, formulary: Formulary) -> Iterator[Moment]:
    own, known = seen.case.recorded_by(seen.by.organization_id), seen.case
    first_known: dict[str, date] = {}
    for version in known.records:
        first_known[version.id] = min(version.recorded_on, first_known.get(version.id, version.recorded_on))
    for record in known.newest_on(day).values():
        is_fill = record.kind is RecordKind.FILL
        yield from _told(
            Moment(
                kind=Happening.FILL if is_fill else Happening.ORDER,
                on=record.start,
                learned_on=first_known[record.id],
                subject_id=UUID(record.id),
                says=f"{'Dispensed' if is_fill else 'Ordered'}: {_product(record, formulary)}.",
                is_own=record.id in own,
            ),
            record.status,
            record.recorded_on,
        )


def _product(record: Record, formulary: Formulary) -> str:
    product = formulary.product(record.rxcui)
    parts = [product.name if product else record.rxcui]
    if record.quantity is not None:
        parts.append(plain(record.quantity))
    if record.days_supply is not None:
        parts.append(f"{record.days_supply} days")
    return ", ".join(parts)


def _told(moment: Moment, status: RecordStatus, told_on: date) -> Iterator[Moment]:
    """Yield a moment and, if it no longer stands, the day on which we were told so as a moment of its own."""
    if status is RecordStatus.ACTIVE:
        yield moment
        return
    kind, word = _ENDED[status]
    yield replace(moment, stands=False)
    says = f"{word}: what was recorded for {moment.on.isoformat()}. {moment.says}"
    yield replace(moment, kind=kind, on=told_on, learned_on=told_on, says=says)


def _exemptions(patient: Patient, by: Actor, reader: Calendar, day: date) -> Iterator[Moment]:
    for row in prescriptions.exemptions(by).filter(patient=patient).order_by("pk"):
        learned_on = clock.day_in(reader.zone, at=row.recorded_at)
        until = f" until {row.ends_on.isoformat()}" if row.ends_on else ""
        moment = Moment(
            kind=Happening.EXEMPTION,
            on=row.starts_on or learned_on,
            learned_on=learned_on,
            subject_id=row.public_id,
            says=f"Exempt{until}: {row.category.replace('_', ' ')}.",
            is_own=True,
        )
        withdrawn_on = clock.day_in(reader.zone, at=row.withdrawn_at) if row.withdrawn_at else None
        if withdrawn_on is None or withdrawn_on > day:
            yield moment
        else:
            yield replace(moment, stands=False)
            kind, says = Happening.EXEMPTION_WITHDRAWN, f"Withdrawn. {moment.says}"
            yield replace(moment, kind=kind, on=withdrawn_on, learned_on=withdrawn_on, says=says)


def _pain_scores(patient: Patient, by: Actor, day: date) -> Iterator[Moment]:
    for row in pain.pain_scores(by).filter(patient=patient).order_by("pk"):
        versions: list[PainScoreVersion] = row.newest_first  # type: ignore[attr-defined]  # a prefetch's to_attr
        for latest in [version for version in versions if version.recorded_on <= day][:1]:
            moment = Moment(
                kind=Happening.PAIN_SCORE,
                on=latest.scored_on,
                learned_on=versions[-1].recorded_on,
                subject_id=row.public_id,
                says=_pain(latest),
                is_own=True,
            )
            yield from _told(moment, RecordStatus(latest.status), latest.recorded_on)


def _pain(version: PainScoreVersion) -> str:
    if version.instrument == Instrument.PEG.value:
        answers = f"pain {version.pain}, enjoyment {version.enjoyment}, activity {version.activity}"
        return f"PEG {two_decimals(score_of(version).score)} ({answers})."
    asked = "Average pain in the past week" if version.instrument == Instrument.PAIN_PAST_WEEK.value else "Pain"
    return f"{asked}: {version.pain} of 10."


def _surgeries(patient: Patient, by: Actor, day: date) -> Iterator[Moment]:
    for row in pain.surgeries(by).filter(patient=patient).order_by("pk"):
        versions: list[SurgeryVersion] = row.newest_first  # type: ignore[attr-defined]  # a prefetch's to_attr
        for latest in [version for version in versions if version.recorded_on <= day][:1]:
            moment = Moment(
                kind=Happening.SURGERY,
                on=latest.performed_on,
                learned_on=versions[-1].recorded_on,
                subject_id=row.public_id,
                says="Surgery.",
                is_own=True,
            )
            yield from _told(moment, RecordStatus(latest.status), latest.recorded_on)


def _requests(patient: Patient, by: Actor, reader: Calendar) -> Iterator[Moment]:
    told = Event.objects.filter(prior_auth__in=selectors.prior_auths(by).filter(patient=patient))
    for event in told.filter(step__in=[step.value for step in STEPS]).select_related("prior_auth").order_by("pk"):
        request = event.prior_auth
        is_own = request.clinic_id == by.organization
        # An insurer sees nothing from before it was asked; it may have been asked in the same instant.
        is_late = request.submitted_at is not None and event.at >= request.submitted_at
        if is_own or (is_late and event.step not in _BEGINNINGS):
            on = clock.day_in(reader.zone, at=event.at)
            came = f": {REVIEWED[AppealOutcome(event.code)]}" if event.step == Step.RECORD_INDEPENDENT_REVIEW else ""
            says = f"Request {request.number} {STEPS[Step(event.step)]}{came}."
            yield Moment(
                kind=Happening.REQUEST, on=on, learned_on=on, subject_id=request.public_id, says=says, is_own=is_own
            )


def _determinations(patient: Patient, by: Actor, reader: Calendar, day: date) -> Iterator[Moment]:
    decided = Determination.objects.filter(prior_auth__in=selectors.prior_auths(by).filter(patient=patient))
    rows = decided.select_related("prior_auth").order_by("pk")
    days = {row: clock.day_in(reader.zone, at=row.decided_at) for row in rows}
    superseded = {row.supersedes_id for row, on in days.items() if on <= day}
    for row, on in days.items():
        yield Moment(
            kind=Happening.DETERMINATION,
            on=on,
            learned_on=on,
            subject_id=row.public_id,
            says=f"Request {row.prior_auth.number} {OUTCOMES[Outcome(row.outcome)]}.",
            is_own=row.prior_auth.clinic_id == by.organization,
            stands=row.pk not in superseded,
        )


def _appeals(patient: Patient, by: Actor, reader: Calendar) -> Iterator[Moment]:
    told = AppealEvent.objects.filter(appeal__prior_auth__in=selectors.prior_auths(by).filter(patient=patient))
    rows = told.filter(step__in=[step.value for step in APPEALED]).select_related("appeal__prior_auth")
    for event in rows.order_by("pk"):
        request, on = event.appeal.prior_auth, clock.day_in(reader.zone, at=event.at)
        said = APPEALED[AppealStep(event.step)]
        yield Moment(
            kind=Happening.APPEAL,
            on=on,
            learned_on=on,
            subject_id=event.appeal.public_id,
            says=f"Decision on request {request.number}{'' if said.startswith(':') else ' '}{said}.",
            is_own=request.clinic_id == by.organization,
        )
