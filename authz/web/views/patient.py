"""One patient: their opioid use day by day, why it needs authorization, and the records behind it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from django.http import HttpRequest, HttpResponse

from authz.access.roles import Action, may
from authz.errors import InvalidInput, NotFound
from authz.ids import PatientId
from authz.pain import selectors as pain
from authz.policies.clause import clause_to_json
from authz.prescriptions import selectors as prescriptions
from authz.prescriptions.models import Patient
from authz.prior_auths import selectors
from authz.prior_auths.moments import Happening, Moment
from authz.prior_auths.opioid_use import KnownPatient, OpioidUse, SeenRecord, changes_of, known_patient, use_of
from authz.prior_auths.record_words import KIND, record_names, with_records_named
from authz.prior_auths.timeline import Timeline, timeline_of
from authz.prior_auths.what_if import PLANNED, WhatIf, what_if
from authz.rules.amounts import plain, two_decimals
from authz.rules.pain_signal import PainSignal, sentences
from authz.rules.records import Record, RecordKind
from authz.rules.selection import Ignored
from authz.rules.trace import trace_to_json
from authz.rules.verdict import Look
from authz.web import rows, words
from authz.web.drawn_use import Drawn, drawn_plan, drawn_use
from authz.web.opioid_days import newest_episode
from authz.web.pages import Page
from authz.web.patient_names import name, own_identifiers
from authz.web.plan_form import PlanForm
from authz.web.sheets import sheet
from authz.web.why import Why, why

_PLAN: Final = "days_supply"
_FARTHEST_BACK: Final = 365
_COLUMNS: Final = ("day", "kind", "rxcui", "product", "quantity", "days", "recorded_by", "standing", "to_look_at")
_MOMENTS: Final = ("day", "what", "in_words", "known_since", "stands")
_EMERGENCY_NAME: Final = "A patient in an emergency"
_PLANNED_NAME: Final = "the planned prescription"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRecord:
    """An order or fill with what became of it, in words."""

    record: SeenRecord
    kind: str
    standing: str
    looks: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What has become known since a day, in words; `is_other` when any of it changes the use or a record."""

    since: date
    sentences: list[str]
    is_other: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What would hold with something more: from when authorization is needed, None for never, in words and drawn."""

    days: int
    starts_on: date
    product: str
    needs_from: date | None
    sentences: list[str]
    ways_out: list[str]
    drawn: Drawn | None


class PatientPage(Page):
    """What is known of a patient; with `as_of`, what was known on that day, and with `compare`, what changed since.

    With `days_supply`, what would hold if so many days more were dispensed. Nothing is written by any of it.
    """

    def get(self, request: HttpRequest, patient_id: PatientId) -> HttpResponse:
        known = known_patient(self.actor, patient_id, now=self.now, reader=self.organization)
        written, as_of = self._as_of(request.GET)
        use = use_of(known, as_of=as_of)
        identifiers = own_identifiers(use.patient)
        verdict, trace = use.payer.verdict, trace_to_json(use.payer.trace())
        names = record_names(trace)
        form = PlanForm(
            request.GET if _PLAN in request.GET else None, use.records, starts_on=_next_start(use, self.today())
        )
        planned = self._planned(known, use, form)
        return self.show(
            "pages/patient.html",
            use=use,
            name=_EMERGENCY_NAME if known.emergency else name(identifiers, self.actor),
            emergency=known.emergency,
            identifiers=identifiers,
            age=_age(use.patient.birth_date, self.today()),
            coverages=prescriptions.coverages_seen(self.actor, known.case.coverages),
            sentences=[with_records_named(said, names) for said in use.sentences],
            is_required=use.payer.is_required,
            needs_from=_needs_from(use),
            why=_why(use, trace),
            compared=self._compared(known, as_of) if request.GET.get("compare") else None,
            peak=two_decimals(verdict.mme.peak),
            mme=verdict.mme,
            drawn=drawn_use(use, today=self.today()),
            records=[_shown(record) for record in use.records],
            to_look_at=sum(bool(record.attention) for record in use.records),
            written=written,
            is_day_wrong=bool(written) and as_of is None,
            days_back=max(0, (self.today() - use.as_of).days),
            farthest_back=_farthest_back(known.case.records, self.today()),
            plan_form=form,
            planned=planned,
        )

    def _as_of(self, sent: Mapping[str, str]) -> tuple[str, date | None]:
        """Return the day as it was written, and the day itself: a date, or how many days ago on the slider."""
        back = sent.get("days_back", "")
        if back.isdecimal() and len(back) < 6:
            day = self.today() - timedelta(days=int(back))
            return day.isoformat(), day
        written = sent.get("as_of", "")
        return written, _day(written)

    def _planned(self, known: KnownPatient, use: OpioidUse, form: PlanForm) -> Planned | None:
        """Return what would hold with the plan; None without one, and where it cannot be, which the form then says."""
        if not form.is_bound or not form.is_valid():
            return None
        try:
            found = what_if(known, form.plan())
        except InvalidInput as refusal:
            form.refuse(refusal.fields)
            return None
        return _as_shown(found, drawn_plan(use, found, today=self.today()))

    def _compared(self, known: KnownPatient, since: date | None) -> Compared | None:
        if since is None or since > self.today():
            return None
        told = changes_of(known, since=since)
        names = record_names(trace_to_json(told.after.trace()))
        return Compared(
            since=since,
            sentences=[with_records_named(said, names) for said in told.sentences],
            is_other=any((told.differences.records, told.differences.releases, told.differences.episodes)),
        )


class PatientSheet(PatientPage):
    """The orders and fills as known on a day, as CSV."""

    def get(self, request: HttpRequest, patient_id: PatientId) -> HttpResponse:
        known = known_patient(self.actor, patient_id, now=self.now, reader=self.organization)
        use = use_of(known, as_of=self._as_of(request.GET)[1])
        return sheet(self, "orders and fills", columns=_COLUMNS, lines=(_cells(record) for record in use.records))


class PatientHistory(Page):
    """The requests for a patient, their pain, and what happened; the patient's page fetches its parts when needed."""

    def get(self, request: HttpRequest, patient_id: PatientId) -> HttpResponse:
        patient, history = self.history(patient_id)
        requests = selectors.prior_auths(self.actor).filter(patient=patient).order_by("-pk")
        return self.show(
            "pages/patient_history.html",
            patient=patient,
            name=name(own_identifiers(patient), self.actor),
            as_of=history.as_of,
            requests=rows.rows(requests, self.actor, today=self.today()),
            pain_signal=self._pain_signal(patient_id),
            pain_scores=[moment for moment in history.moments if moment.kind is Happening.PAIN_SCORE],
            history=history.moments,
        )

    def history(self, patient_id: PatientId) -> tuple[Patient, Timeline]:
        """Return the patient and what happened, as known on the day that is asked for.

        :raises NotFound: when the reader does not know the patient, or only in an emergency.
        """
        known = known_patient(self.actor, patient_id, now=self.now, reader=self.organization)
        if known.emergency:
            raise NotFound("In an emergency the use is open, and nothing else.")
        return known.case.patient, timeline_of(known, as_of=_day(self.request.GET.get("as_of", "")))

    def _pain_signal(self, patient_id: PatientId) -> list[str]:
        """Return the pain signal in words, for a prescriber; empty when there is none, and for everybody else."""
        if not may(self.actor, Action.READ_PAIN_SIGNAL):
            return []
        answer = pain.signal(self.actor, patient_id, now=self.now).answer
        return sentences(answer) if isinstance(answer, PainSignal) else []


class PatientHistorySheet(PatientHistory):
    """What happened, pain scores included, as known on a day, as CSV."""

    def get(self, request: HttpRequest, patient_id: PatientId) -> HttpResponse:
        _, history = self.history(patient_id)
        return sheet(self, "history", columns=_MOMENTS, lines=(_moment(one) for one in history.moments))


def _moment(one: Moment) -> Iterator[str]:
    yield one.on.isoformat()
    yield words.HAPPENED[one.kind]
    yield one.says
    yield one.learned_on.isoformat()
    yield "yes" if one.stands else "no"


def _as_shown(found: WhatIf, drawn: Drawn | None) -> Planned:
    names = record_names(trace_to_json(found.payer.trace())) | {PLANNED: _PLANNED_NAME}
    return Planned(
        days=found.record.days_supply or 0,
        starts_on=found.record.start,
        product=found.product_name,
        needs_from=found.needs_from,
        sentences=[with_records_named(said, names) for said in found.payer.sentences],
        ways_out=[with_records_named(way, names) for way in found.ways_out],
        drawn=drawn,
    )


def _needs_from(use: OpioidUse) -> date | None:
    """Return the first day of the newest stretch of use that needs authorization."""
    newest = newest_episode(use.payer.verdict)
    return newest.pa_required_from if newest else None


def _next_start(use: OpioidUse, today: date) -> date:
    """Return the first day without supply, from today on: there a further prescription would begin."""
    newest = newest_episode(use.payer.verdict)
    return max(today, newest.end + timedelta(days=1)) if newest else today


def _why(use: OpioidUse, trace: Mapping[str, Any]) -> Why:
    """Return the clause, the count and the ways out of the latest use that needs authorization, else of the newest."""
    verdict = use.payer.verdict
    needing = [episode for episode in verdict.episodes if episode.pa_required_from]
    shown = needing[-1] if needing else newest_episode(verdict)
    return why(
        clause_to_json(use.payer.policy),
        trace,
        episode=verdict.episodes.index(shown) if shown else None,
        ways_out=use.ways_out,
        is_payer_rule_unknown=use.payer.is_payer_rule_unknown,
    )


def _day(written: str) -> date | None:
    """Return the day asked for; None when none is, or it cannot be read."""
    try:
        day = date.fromisoformat(written)
    except ValueError:
        return None
    return day if date(1900, 1, 1) <= day <= date(2100, 12, 31) else None


def _age(born: date | None, today: date) -> int | None:
    return None if born is None else today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _farthest_back(records: Iterable[Record], today: date) -> int:
    """Return how far back the slider reaches: to before any order or fill was known, a year at most."""
    return min(_FARTHEST_BACK, max(((today - record.recorded_on).days + 1 for record in records), default=30))


def _cells(record: SeenRecord) -> Iterator[str]:
    shown = _shown(record)
    yield record.starts_on.isoformat()
    yield shown.kind
    yield record.rxcui
    yield record.product_name
    yield "" if record.quantity is None else plain(record.quantity)
    yield "" if record.days_supply is None else str(record.days_supply)
    yield "own" if record.is_own else "another organization"
    yield shown.standing
    yield " ".join(shown.looks)


def _kind(record: SeenRecord) -> str:
    return KIND[RecordKind(record.kind)]


def _shown(record: SeenRecord) -> ShownRecord:
    return ShownRecord(
        record=record,
        kind=_kind(record),
        standing=words.IGNORED[Ignored(record.ignored_because)] if record.ignored_because else "Counted",
        looks=[words.LOOK[Look(look)] for look in record.attention],
    )
