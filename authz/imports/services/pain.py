"""Take in what lines tell of pain."""

from collections.abc import Sequence
from datetime import datetime

from authz.errors import AuthzError
from authz.ids import PatientId
from authz.imports.refusals import Refusal
from authz.imports.services.people import as_refusal
from authz.imports.services.reception import Reception, Tally
from authz.imports.told import EndTold, Kind, PainTold
from authz.pain import services as pain
from authz.pain.facts import PainScoreFacts
from authz.pain.models import PainScoreVersion
from authz.rules.pain_signal import Instrument


def take_scores(*, lines: Sequence[tuple[int, PainTold]], reception: Reception, tally: Tally, now: datetime) -> None:
    """Record each pain score; a refused one is counted and the rest goes on."""
    numbered = reception.numbered(told.patient for _, told in lines)
    for number, told in lines:
        try:
            patient_id = reception.find(told.patient, numbered, f"{told.path}.subject")
            _, outcome = pain.record_score(patient_id=patient_id, facts=told.facts, by=reception.by, now=now)
        except (AuthzError, Refusal) as error:
            tally.refuse(number, as_refusal(error, path=told.path))
        else:
            tally.count(Kind.PAIN_SCORE, outcome.value)


def take_back_scores(
    *, lines: Sequence[tuple[int, EndTold]], reception: Reception, tally: Tally, now: datetime
) -> None:
    """Take back the scores that were entered in error, as far as we hold them."""
    for number, told in lines:
        try:
            latest = _held(told, reception)
            patient_id = PatientId(latest.record.patient.public_id)
            _, outcome = pain.record_score(patient_id=patient_id, facts=_ended(latest, told), by=reception.by, now=now)
        except (AuthzError, Refusal) as error:
            tally.refuse(number, as_refusal(error, path=told.path))
        else:
            tally.count(Kind.PAIN_SCORE, outcome.value)


def _held(told: EndTold, reception: Reception) -> PainScoreVersion:
    own = PainScoreVersion.objects.filter(
        record__organization=reception.organization, record__identifier=told.identifier
    )
    latest = own.select_related("record__patient").order_by("-version").first()
    if latest is None:
        sentence = "No score of this id is known here, and it says too little to keep."
        raise Refusal("nothing-to-take-back", f"{told.path}.status", sentence)
    return latest


def _ended(latest: PainScoreVersion, told: EndTold) -> PainScoreFacts:
    """Return what is known of the score, with its new status."""
    return PainScoreFacts(
        identifier=told.identifier,
        scored_on=latest.scored_on,
        instrument=Instrument(latest.instrument),
        pain=latest.pain,
        enjoyment=latest.enjoyment,
        activity=latest.activity,
        status=told.status,
        source_updated_at=told.source_updated_at,
    )
