"""A patient of Riverside's who has taken oxycodone for half a year, and whose pain is asked for now and then."""

from datetime import date, datetime, timedelta

from authz import clock
from authz.access.roles import Actor, Role
from authz.ids import PatientId
from authz.pain import services
from authz.pain.facts import PainScoreFacts, SurgeryFacts
from authz.pain.models import PainHint, PainScore, Surgery
from authz.prescriptions.models import Patient
from authz.prescriptions.services import RecordOutcome
from authz.rules.pain_signal import Instrument
from tests import cast as stage
from tests.cast import NOW, TODAY, Cast

HALF_A_YEAR = 180
BEFORE, LATELY = (150, 100), (60, 10)
"""Days ago on which pain is asked for, in the earlier and in the later period."""


def admin(cast: Cast) -> Actor:
    """Return who looks after Riverside."""
    return Actor(name="Priya Nair", roles=frozenset({Role.CLINIC_ADMIN}), organization_id=cast.riverside.pk)


def switch_on(cast: Cast) -> None:
    services.switch(is_on=True, by=admin(cast), now=NOW)
    cast.riverside.refresh_from_db()


def ago(days: int, now: datetime = NOW) -> date:
    """Return the day that many days before, in Riverside's calendar."""
    return clock.day_in("America/New_York", at=now) - timedelta(days=days)


def half_a_year_dispensed(cast: Cast, patient: Patient, *, now: datetime = NOW) -> None:
    """Dispense 30 MME a day for every day of both periods."""
    stage.fill(cast, patient, HALF_A_YEAR, on=ago(HALF_A_YEAR - 1, now), now=now)


def on_opioids(cast: Cast) -> Patient:
    patient = stage.register(cast)
    half_a_year_dispensed(cast, patient)
    return patient


def score_facts(pain: int, *, on: date = TODAY, **other: object) -> PainScoreFacts:
    """Return a rating of the pain when asked."""
    facts: dict[str, object] = {
        "identifier": f"P-{on.isoformat()}",
        "scored_on": on,
        "instrument": Instrument.PAIN_NOW,
        "pain": pain,
    }
    return PainScoreFacts(**(facts | other))  # type: ignore[arg-type]


def score(
    cast: Cast,
    patient: Patient,
    pain: int,
    *,
    days_ago: int = 0,
    by: Actor | None = None,
    now: datetime = NOW,
    **other: object,
) -> tuple[PainScore, RecordOutcome]:
    facts = score_facts(pain, **({"on": ago(days_ago, now)} | other))  # type: ignore[arg-type]
    return services.record_score(patient_id=PatientId(patient.public_id), facts=facts, by=by or cast.stella, now=now)


def surgery(cast: Cast, patient: Patient, *, days_ago: int) -> Surgery:
    facts = SurgeryFacts(identifier=f"S-{days_ago}", performed_on=ago(days_ago))
    row, _ = services.record_surgery(patient_id=PatientId(patient.public_id), facts=facts, by=cast.stella, now=NOW)
    return row


def pain_rose(cast: Cast, patient: Patient, *, now: datetime = NOW) -> None:
    """Ask twice in each period: first 4, then 7."""
    for days_ago in BEFORE:
        score(cast, patient, 4, days_ago=days_ago, now=now)
    for days_ago in LATELY:
        score(cast, patient, 7, days_ago=days_ago, now=now)


def hinted(cast: Cast, patient: Patient | None = None, *, now: datetime = NOW) -> PainHint:
    """Return a hint that was just found."""
    switch_on(cast)
    patient = patient or stage.register(cast)
    half_a_year_dispensed(cast, patient, now=now)
    pain_rose(cast, patient, now=now)
    return PainHint.objects.get(patient=patient)
