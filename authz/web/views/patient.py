"""One patient: their opioid use day by day, why it needs authorization, and the records behind it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse

from authz.access.roles import Action, may
from authz.ids import PatientId
from authz.pain import selectors as pain
from authz.policies.clause import clause_to_json
from authz.prescriptions import selectors as prescriptions
from authz.prior_auths import selectors
from authz.prior_auths.record_words import KIND, record_names, with_records_named
from authz.prior_auths.selectors import OpioidUse, SeenRecord
from authz.prior_auths.timeline import timeline
from authz.rules.mme import two_decimals
from authz.rules.pain_signal import PainSignal, sentences
from authz.rules.records import RecordKind
from authz.rules.selection import Ignored
from authz.rules.trace import trace_to_json
from authz.rules.verdict import Look
from authz.web import rows, words
from authz.web.chart import Chart, Supply, chart
from authz.web.opioid_days import UseDay, UseRun, newest_episode, runs, use_days
from authz.web.pages import Page
from authz.web.patient_names import name, own_identifiers
from authz.web.why import Why, why


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRecord:
    """An order or fill with what became of it, in words."""

    record: SeenRecord
    kind: str
    standing: str
    looks: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """The newest stretch of use: as a drawing, and the same as a table."""

    chart: Chart | None
    runs: list[UseRun]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What has become known since a day, in words; `is_other` when any of it changes the use or a record."""

    since: date
    sentences: list[str]
    is_other: bool


class PatientPage(Page):
    """What is known of a patient; with `as_of`, what was known on that day, and with `compare`, what changed since."""

    def get(self, request: HttpRequest, patient_id: PatientId) -> HttpResponse:
        written = request.GET.get("as_of", "")
        as_of = _day(written)
        use = selectors.opioid_use(self.actor, patient_id, now=self.now, as_of=as_of)
        identifiers = own_identifiers(use.patient)
        requests = selectors.prior_auths(self.actor).filter(patient=use.patient).order_by("-pk")
        verdict, trace = use.payer.verdict, trace_to_json(use.payer.trace())
        names = record_names(trace)
        return self.show(
            "pages/patient.html",
            use=use,
            name=name(identifiers, self.actor),
            identifiers=identifiers,
            coverages=prescriptions.coverages(self.actor).filter(patient=use.patient).order_by("priority", "pk"),
            sentences=[with_records_named(said, names) for said in use.sentences],
            is_required=use.payer.is_required,
            why=_why(use, trace),
            compared=self._compared(patient_id, as_of) if request.GET.get("compare") else None,
            peak=two_decimals(verdict.mme.peak),
            mme=verdict.mme,
            drawn=_drawn(use, self.today()),
            records=[_shown(record) for record in use.records],
            requests=rows.rows(requests, self.actor, today=self.today()),
            written=written,
            is_day_wrong=bool(written) and as_of is None,
            pain_signal=self._pain_signal(patient_id),
            history=timeline(self.actor, patient_id, now=self.now, as_of=as_of).moments,
        )

    def _compared(self, patient_id: PatientId, since: date | None) -> Compared | None:
        if since is None or since > self.today():
            return None
        told = selectors.opioid_use_changes(self.actor, patient_id, now=self.now, since=since)
        names = record_names(trace_to_json(told.after.trace()))
        return Compared(
            since=since,
            sentences=[with_records_named(said, names) for said in told.sentences],
            is_other=any((told.differences.records, told.differences.releases, told.differences.episodes)),
        )

    def _pain_signal(self, patient_id: PatientId) -> list[str]:
        """Return the pain signal in words, for a prescriber; empty when there is none, and for everybody else."""
        if not may(self.actor, Action.READ_PAIN_SIGNAL):
            return []
        answer = pain.signal(self.actor, patient_id, now=self.now).answer
        return sentences(answer) if isinstance(answer, PainSignal) else []


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


def _drawn(use: OpioidUse, today: date) -> Drawn | None:
    verdict = use.payer.verdict
    episode = newest_episode(verdict)
    if episode is None:
        return None
    days: list[UseDay] = use_days(verdict, episode)
    supplies = [
        Supply(name=record.product_name, starts_on=record.starts_on, days=record.days_supply)
        for record in use.records
        if str(record.record_id) in episode.records and record.days_supply
    ]
    return Drawn(chart=chart(days, supplies, limit=episode.limit_days, today=today), runs=runs(days))


def _kind(record: SeenRecord) -> str:
    return KIND[RecordKind(record.kind)]


def _shown(record: SeenRecord) -> ShownRecord:
    return ShownRecord(
        record=record,
        kind=_kind(record),
        standing=words.IGNORED[Ignored(record.ignored_because)] if record.ignored_because else "Counted",
        looks=[words.LOOK[Look(look)] for look in record.attention],
    )
