"""What the pain signal's rule sees of one patient at one clinic, and what it says.

The scores and surgeries are the clinic's own. The dose is of all orders and fills that are known, by the factors of the
default policy, whoever pays.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from django.db.models import QuerySet

from authz.access.models import Organization
from authz.access.roles import Role
from authz.access.tenancy import across_tenants
from authz.formulary import selectors as formularies
from authz.pain.models import PainScoreVersion, SurgeryVersion
from authz.prescriptions import selectors as prescriptions
from authz.prescriptions.models import FillVersion, Patient, Prescriber, PrescriptionVersion
from authz.rules.evaluate import evaluate
from authz.rules.pain_signal import Instrument, NoPainSignal, PainScore, PainSignal, pain_signal
from authz.rules.records import Case, RecordStatus
from authz.rules.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """The answer, who at this clinic prescribes what the patient takes now (a row's key), and the scores' SHA-256."""

    answer: PainSignal | NoPainSignal
    prescriber_id: int | None
    facts_sha256: str


class _Scored(NamedTuple):
    record_id: UUID
    score: PainScore


@across_tenants("the dose is of all orders and fills that are known")
def sight(patient: Patient, clinic: Organization, *, on: date) -> Sight:
    """Look at a patient as of a day in the clinic's calendar."""
    fills, orders = prescriptions.fill_versions(patient), prescriptions.prescription_versions(patient)
    exemptions = prescriptions.exempt_periods(patient)
    verdict = evaluate(
        Case(
            id=str(patient.public_id),
            as_of=on,
            birth_date=patient.birth_date,
            records=prescriptions.rule_records(fills, orders),
            exemptions=exemptions,
        ),
        formularies.current(),
    )
    scored = [_Scored(one.record.public_id, score_of(one)) for one in standing_scores(patient, clinic)]
    answer = pain_signal(
        as_of=on,
        scores=[one.score for one in scored],
        mme=verdict.mme,
        exemptions=exemptions,
        surgery_days=_surgery_days(patient, clinic),
    )
    return Sight(
        answer=answer,
        prescriber_id=_prescriber(verdict, fills, orders, clinic),
        facts_sha256=_sha256_of(answer, scored),
    )


def standing_scores(patient: Patient, clinic: Organization) -> list[PainScoreVersion]:
    """Return each score that the clinic recorded as it is known last, without those in error, by their days."""
    own = PainScoreVersion.objects.filter(record__patient=patient, record__organization=clinic)
    newest = own.select_related("record").order_by("record_id", "-version").distinct("record_id")
    standing = (version for version in newest if version.status == RecordStatus.ACTIVE.value)
    return sorted(standing, key=lambda version: (version.scored_on, version.record_id))


def score_of(version: PainScoreVersion) -> PainScore:
    """Return a version's score as the rule reads it: a PEG is the exact mean of its answers."""
    if version.instrument == Instrument.PEG.value and version.enjoyment is not None and version.activity is not None:
        return PainScore.of_peg(
            version.scored_on, pain=version.pain, enjoyment=version.enjoyment, activity=version.activity
        )
    return PainScore(on=version.scored_on, instrument=Instrument(version.instrument), score=Fraction(version.pain))


def _surgery_days(patient: Patient, clinic: Organization) -> list[date]:
    own = SurgeryVersion.objects.filter(record__patient=patient, record__organization=clinic)
    newest = own.order_by("record_id", "-version").distinct("record_id")
    return [version.performed_on for version in newest if version.status == RecordStatus.ACTIVE.value]


def _log_ins(clinic: Organization) -> QuerySet[Prescriber]:
    """Return the prescribers who log in there as such: nobody else could be told."""
    return Prescriber.objects.filter(
        person__memberships__organization=clinic, person__memberships__role=Role.PRESCRIBER.value
    )


def _prescriber(
    verdict: Verdict, fills: Iterable[FillVersion], orders: Iterable[PrescriptionVersion], clinic: Organization
) -> int | None:
    """Return who of the clinic's prescribers wrote the latest of the orders and fills that the patient takes now."""
    newest = {str(row.prescription.public_id): row for row in sorted(orders, key=lambda row: row.version)}
    written = {key: (row.starts_on, row.prescriber_id) for key, row in newest.items()}
    for row in sorted(fills, key=lambda row: row.version):
        order = newest.get(str(row.prescription.public_id)) if row.prescription else None
        by_order = order.prescriber_id if order else None
        written[str(row.fill.public_id)] = (row.starts_on, row.prescriber_id or by_order)
    episode = max(verdict.episodes, key=lambda one: (one.end, one.start), default=None)
    own = set(_log_ins(clinic).values_list("pk", flat=True))
    taken = [written[key] for key in (episode.records if episode else ()) if written[key][1] in own]
    return max(taken, key=lambda one: one[0], default=(None, None))[1]


def _sha256_of(answer: PainSignal | NoPainSignal, scored: Iterable[_Scored]) -> str:
    """Return the digest of the scores that a signal rests on, "" when there is none."""
    if isinstance(answer, NoPainSignal):
        return ""
    facts = sorted(
        (str(one.record_id), one.score.on.isoformat(), str(one.score.score))
        for one in scored
        if one.score.instrument is answer.instrument and answer.earlier.first <= one.score.on <= answer.later.last
    )
    return sha256(json.dumps([answer.instrument.value, facts]).encode()).hexdigest()
