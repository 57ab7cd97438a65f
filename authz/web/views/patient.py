"""One patient: their opioid use day by day, why it needs authorization, and the records behind it."""

from dataclasses import dataclass
from datetime import date

from django.http import HttpRequest, HttpResponse

from authz.ids import PatientId
from authz.prescriptions import selectors as prescriptions
from authz.prior_auths import selectors
from authz.prior_auths.selectors import OpioidUse, SeenRecord
from authz.rules.mme import two_decimals
from authz.rules.records import RecordKind
from authz.rules.selection import Ignored
from authz.rules.verdict import Look
from authz.web import rows, words
from authz.web.chart import Chart, Supply, chart
from authz.web.opioid_days import UseDay, UseRun, newest_episode, runs, use_days
from authz.web.pages import Page
from authz.web.patient_names import name, own_identifiers


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


class PatientPage(Page):
    """What is known of a patient; with `as_of`, what was known on that day."""

    def get(self, request: HttpRequest, patient_id: PatientId) -> HttpResponse:
        written = request.GET.get("as_of", "")
        as_of = _day(written)
        use = selectors.opioid_use(self.actor, patient_id, now=self.now, as_of=as_of)
        identifiers = own_identifiers(use.patient)
        requests = selectors.prior_auths(self.actor).filter(patient=use.patient).order_by("-pk")
        verdict = use.payer.verdict
        return self.show(
            "pages/patient.html",
            use=use,
            name=name(identifiers, self.actor),
            identifiers=identifiers,
            coverages=prescriptions.coverages(self.actor).filter(patient=use.patient).order_by("priority", "pk"),
            sentences=[words.with_records_named(said, _names(use)) for said in use.sentences],
            is_required=verdict.pa_required,
            peak=two_decimals(verdict.mme.peak),
            mme=verdict.mme,
            drawn=_drawn(use, self.today()),
            records=[_shown(record) for record in use.records],
            requests=rows.rows(requests, self.actor, today=self.today()),
            written=written,
            is_day_wrong=bool(written) and as_of is None,
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


def _names(use: OpioidUse) -> dict[str, str]:
    return {
        str(record.record_id): f"the {_kind(record).lower()} of {record.starts_on} ({record.product_name})"
        for record in use.records
    }


def _kind(record: SeenRecord) -> str:
    return words.KIND[RecordKind(record.kind)]


def _shown(record: SeenRecord) -> ShownRecord:
    return ShownRecord(
        record=record,
        kind=_kind(record),
        standing=words.IGNORED[Ignored(record.ignored_because)] if record.ignored_because else "Counted",
        looks=[words.LOOK[Look(look)] for look in record.attention],
    )
