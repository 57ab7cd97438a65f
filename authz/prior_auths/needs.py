"""What the rule says of a patient now, payer by payer, as needs for prior authorization.

Which payer's policy holds is decided by the coverage in force on the day of the record that causes the need; where no
coverage is known, the default policy holds and the need is marked so.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from hashlib import sha256

from authz.policies import catalog
from authz.policies.models import Plan
from authz.prescriptions import selectors as prescriptions
from authz.prescriptions.models import Coverage, Patient
from authz.prior_auths.models import Authorization
from authz.rules.evaluate import evaluate
from authz.rules.records import AuthorizedPeriod, Case, Record
from authz.rules.verdict import Episode, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class PayerVerdict:
    """One payer's answer on one patient; `plan` is None where the payer's rule is unknown."""

    plan: Plan | None
    policy: catalog.CatalogPolicy
    verdict: Verdict
    inputs_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """An episode of use that needs authorization, by whose coverage, and by which verdict."""

    coverage: Coverage | None
    episode: Episode
    answer: PayerVerdict

    @property
    def trigger_id(self) -> str:
        """Return the id of the record that causes the need."""
        assert self.episode.trigger_record is not None  # noqa: S101 - an episode with a need has a cause
        return self.episode.trigger_record


@dataclass(frozen=True, slots=True)
class PatientCase:
    """Everything the rule reads of one patient, fetched once."""

    patient: Patient
    records: tuple[Record, ...]
    coverages: list[Coverage]

    @property
    def newest(self) -> Mapping[str, Record]:
        """Return each record's current version by its id."""
        return {record.id: record for record in sorted(self.records, key=lambda r: (r.recorded_on, r.version))}


def case_of(patient: Patient) -> PatientCase:
    """Fetch what is known of a patient, in every version."""
    records = prescriptions.rule_records(
        prescriptions.fill_versions(patient), prescriptions.prescription_versions(patient)
    )
    coverages = list(patient.coverages.select_related("plan__insurer").order_by("pk"))
    return PatientCase(patient, records, coverages)


def answers(known: PatientCase, *, as_of: date) -> list[PayerVerdict]:
    """Evaluate the patient under every policy that could apply: each plan's own, and the default for none known."""
    plans = {coverage.plan_id: coverage.plan for coverage in known.coverages}
    days = [record.start for record in known.records]
    if not plans or any(prescriptions.coverage_on(known.coverages, day) is None for day in days):
        plans.setdefault(None, None)
    exemptions = prescriptions.exempt_periods(known.patient)
    found = []
    for plan in plans.values():
        policy = catalog.policy(plan.policy if plan else "default")
        case = Case(
            id=str(known.patient.public_id),
            as_of=as_of,
            birth_date=known.patient.birth_date,
            policy=policy.parameters,
            records=known.records,
            exemptions=exemptions,
            authorizations=_authorized_periods(known.patient, plan),
        )
        found.append(PayerVerdict(plan=plan, policy=policy, verdict=evaluate(case), inputs_sha256=_hash(case)))
    return found


def needs(known: PatientCase, payers: Iterable[PayerVerdict]) -> list[Need]:
    """Return the needs, each under the one payer whose coverage was in force when it arose."""
    newest = known.newest
    found = []
    for answer in payers:
        for episode in answer.verdict.episodes:
            if episode.trigger_record is None:
                continue
            coverage = prescriptions.coverage_on(known.coverages, newest[episode.trigger_record].start)
            if (coverage.plan_id if coverage else None) == (answer.plan.pk if answer.plan else None):
                found.append(Need(coverage=coverage, episode=episode, answer=answer))
    return found


def is_over(need: Need, *, as_of: date) -> bool:
    """Say whether the use lies so far back that nothing can be authorized any more: its episode can no longer go on."""
    return need.episode.end + timedelta(days=need.answer.policy.parameters.gap_days) < as_of


def _authorized_periods(patient: Patient, plan: Plan | None) -> tuple[AuthorizedPeriod, ...]:
    granted = Authorization.objects.filter(
        prior_auth__patient=patient, prior_auth__coverage__plan=plan, revoked_at=None
    ).order_by("pk")
    return tuple(AuthorizedPeriod(start=row.starts_on, end=row.ends_on) for row in granted)


def _hash(case: Case) -> str:
    canonical = json.dumps(asdict(case), default=str, sort_keys=True, separators=(",", ":"))
    return sha256(canonical.encode()).hexdigest()
