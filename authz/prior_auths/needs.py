"""What the rule says of a patient now, payer by payer, as needs for prior authorization.

Which payer's policy holds, and which version of it, is decided by the coverage in force on the day of the record that
causes the need; where no coverage is known, the default policy holds and the need is marked so.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.db.models import DecimalField, F, IntegerField, Q, QuerySet, Value

from authz.access.tenancy import across_tenants
from authz.formulary import selectors as formularies
from authz.policies.models import Plan
from authz.policies.selectors import PlanRules, rules_of
from authz.policies.version import PolicyVersion
from authz.prescriptions import selectors as prescriptions
from authz.prescriptions.models import Coverage, Patient
from authz.prior_auths.authorization import Granted, Release, release
from authz.prior_auths.models import Authorization
from authz.rules.evaluate import evaluate
from authz.rules.explain import sentences
from authz.rules.formulary import Formulary
from authz.rules.records import Case, Record, RecordKind
from authz.rules.records import Exemption as ExemptPeriod
from authz.rules.thresholds import Finding, findings, sentences_of
from authz.rules.trace import Trace, trace
from authz.rules.verdict import Episode, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class PayerVerdict:
    """One payer's answer on one patient under one version of its policy; `plan` is None where no coverage is known.

    `findings` are what the policy's thresholds find beside the day limit; `case` and `formulary` are all that the
    answer rests on; `rules` tells which version holds when. `rights` are the authorizations in force, and `release` is
    what they release: the case tells the rule its days.
    """

    plan: Plan | None
    policy: PolicyVersion
    verdict: Verdict
    findings: tuple[Finding, ...]
    case: Case
    formulary: Formulary
    rules: PlanRules
    rights: tuple[Granted, ...]
    release: Release

    @property
    def key(self) -> tuple[int | None, str, str]:
        """Return what tells the answer from the patient's other ones: the plan, and the policy with its version."""
        return self.plan.pk if self.plan else None, *self.policy.key

    @property
    def is_payer_rule_unknown(self) -> bool:
        """Whether the default stands in: no coverage is known, or no version of the plan's policy is in force."""
        return self.plan is None or self.policy.code != self.plan.policy

    @property
    def is_required(self) -> bool:
        """Whether any day needs authorization, for its number or for a finding."""
        return self.verdict.pa_required or any(finding.required_from for finding in self.findings)

    @property
    def sentences(self) -> list[str]:
        """Return the verdict and the findings in words."""
        return [*sentences(self.verdict, self.policy.parameters), *sentences_of(self.findings)]

    def trace(self, *, whole: bool = False) -> Trace:
        """Return how the verdict was reached: to the first need, or with `whole` every day."""
        return trace(self.case, self.formulary, whole=whole)


@dataclass(frozen=True, slots=True)
class Need:
    """An episode of use that needs authorization, by whose coverage, and by which verdict.

    It may need it for its days or for a finding, or both: `trigger_id` is the first record that causes any of it, and
    `required_from` the first day of all. `names` are, record by record, the ids under which a request may know it: its
    own and, for an order's first fill, the order's; a refill is always news.
    """

    coverage: Coverage | None
    episode: Episode
    answer: PayerVerdict
    trigger_id: str
    required_from: date
    names: tuple[frozenset[UUID], ...]

    @property
    def record_ids(self) -> frozenset[UUID]:
        """Return every id under which a request may know any of the episode's records."""
        return frozenset().union(*self.names)


@dataclass(frozen=True, slots=True)
class PatientCase:
    """Everything the rule reads of one patient, fetched once; `recorders` is whose each record is, by its id.

    `part2` are the ids of the records that are under 42 CFR Part 2.
    """

    patient: Patient
    records: tuple[Record, ...]
    coverages: list[Coverage]
    recorders: Mapping[str, int]
    part2: frozenset[str] = frozenset()

    def recorded_by(self, organization_id: int | None) -> set[str]:
        """Return the ids of the orders and fills that an organization recorded."""
        return {record_id for record_id, recorder in self.recorders.items() if recorder == organization_id}

    @property
    def newest(self) -> Mapping[str, Record]:
        """Return each record's current version by its id."""
        return self.newest_on(date.max)

    def newest_on(self, day: date) -> Mapping[str, Record]:
        """Return the version of each record that was current on a day, by its id."""
        known = (record for record in self.records if record.recorded_on <= day)
        return {record.id: record for record in sorted(known, key=lambda r: (r.recorded_on, r.version))}


@across_tenants("the rule counts use wherever it was recorded")
def case_of(patient: Patient) -> PatientCase:
    """Fetch what is known of a patient, in every version."""
    recorded = prescriptions.recorded(patient)
    coverages = list(patient.coverages.select_related("plan__insurer").order_by("pk"))
    recorders = {row.record.id: row.recorder for row in recorded}
    # Later versions come later, and say what holds.
    flags = {row.record.id: row.is_part2 for row in recorded}
    part2 = frozenset(record_id for record_id, is_part2 in flags.items() if is_part2)
    return PatientCase(patient, tuple(row.record for row in recorded), coverages, recorders, part2)


@across_tenants("each payer's policy answers, with all that excuses or was granted")
def answers(known: PatientCase, *, as_of: date, known_at: datetime | None = None) -> list[PayerVerdict]:
    """Evaluate the patient under every policy that could apply: each plan's own, and the default for none known.

    Of each plan's policy every version answers that was in force on the day of a record, first the one of `as_of`.
    Exemptions and authorizations are those known now or, for a day of the past, those known at `known_at`, its end.
    """
    plans = {coverage.plan_id: coverage.plan for coverage in known.coverages}
    days = [record.start for record in known.records]
    if not plans or any(prescriptions.coverage_on(known.coverages, day) is None for day in days):
        plans.setdefault(None, None)
    exemptions, granted = _excuses(known.patient, known_at)
    formulary = formularies.current()
    found = []
    for plan in plans.values():
        rules = rules_of(plan)
        case = Case(
            id=str(known.patient.public_id),
            as_of=as_of,
            birth_date=known.patient.birth_date,
            records=known.records,
            exemptions=exemptions,
        )
        rights = granted.get(plan.pk if plan else None, ())
        versions = {version.key: version for version in map(rules.on, [as_of, *days])}
        found += [_answer(case, rights, formulary, plan, rules, version) for version in versions.values()]
    return found


def _answer(
    case: Case,
    rights: Sequence[Granted],
    formulary: Formulary,
    plan: Plan | None,
    rules: PlanRules,
    policy: PolicyVersion,
) -> PayerVerdict:
    case = replace(case, policy=policy.parameters)
    released = release(case, rights, formulary)
    case = replace(case, authorizations=released.periods)
    verdict = evaluate(case, formulary)
    return PayerVerdict(
        plan=plan,
        policy=policy,
        verdict=verdict,
        findings=findings(case, verdict, policy.thresholds, formulary=formulary),
        case=case,
        formulary=formulary,
        rules=rules,
        rights=tuple(rights),
        release=released,
    )


def needs(known: PatientCase, payers: Iterable[PayerVerdict]) -> list[Need]:
    """Return the needs, each under the one payer and policy version in force when it arose."""
    newest = known.newest
    found = []
    for answer in payers:
        for episode in answer.verdict.episodes:
            causes = sorted(_causes(answer, episode, known, newest))
            if causes:
                start, trigger_id, _ = causes[0]
                coverage = prescriptions.coverage_on(known.coverages, start)
                names = tuple(_names(newest[record_id], newest) for record_id in episode.records)
                found.append(Need(coverage, episode, answer, trigger_id, min(day for _, _, day in causes), names))
    return _first_of_each_use(found, newest)


def latest_use(known: PatientCase, payers: Iterable[PayerVerdict], *, on: date) -> Need | None:
    """Return the patient's latest use, under the policy in force on that day, as if it needed authorization.

    The last record stands for the cause. None without any use.
    """
    newest = known.newest
    uses = [(episode, answer) for answer in payers if _holds(answer, known, on) for episode in answer.verdict.episodes]
    if not uses:
        return None
    episode, answer = max(uses, key=lambda use: use[0].end)
    last = max((newest[record_id] for record_id in episode.records), key=lambda record: (record.start, record.id))
    names = tuple(_names(newest[record_id], newest) for record_id in episode.records)
    coverage = prescriptions.coverage_on(known.coverages, on)
    return Need(coverage, episode, answer, last.id, last.start, names)


def _names(record: Record, newest: Mapping[str, Record]) -> frozenset[UUID]:
    is_first_fill = record.kind is RecordKind.FILL and not record.fill_number
    fills_order = is_first_fill and record.rx_id in newest
    return (
        frozenset({UUID(record.id), UUID(record.rx_id)})
        if fills_order and record.rx_id
        else frozenset({UUID(record.id)})
    )


def _first_of_each_use(found: Iterable[Need], newest: Mapping[str, Record]) -> list[Need]:
    """Return one need for one use: where two versions of a payer's policy each see it, the one that began first."""
    kept: list[Need] = []
    for need in sorted(found, key=lambda need: (newest[need.trigger_id].start, need.trigger_id)):
        if not any(need.coverage == other.coverage and _is_same_use(need, other) for other in kept):
            kept.append(need)
    return kept


def _is_same_use(need: Need, other: Need) -> bool:
    return not set(need.episode.records).isdisjoint(other.episode.records)


def _causes(
    answer: PayerVerdict, episode: Episode, known: PatientCase, newest: Mapping[str, Record]
) -> Iterator[tuple[date, str, date]]:
    """Yield of what makes the episode need authorization that which holds: it arose while this answer was in force.

    What is authorized causes nothing: the rule knows days and no products, so where it names such a record, the first
    one in use that is not authorized is the cause.
    """
    for start, record_id, required_from in causes_of(episode, answer.findings, newest):
        bare = answer.release.withheld.get(required_from)
        if bare is not None and record_id in answer.release.authorized:
            start, record_id = newest[bare].start, bare
        if _holds(answer, known, start):
            yield start, record_id, required_from


def causes_of(
    episode: Episode, found: Iterable[Finding], newest: Mapping[str, Record]
) -> Iterator[tuple[date, str, date]]:
    """Yield (day, record, first day required) of what makes an episode need authorization, its days and findings."""
    # Where episodes overlap (gap_anchor = fill_date) no single record may cause the need: the last one stands for it.
    trigger = episode.trigger_record or max(episode.records, key=lambda key: (newest[key].start, key))
    causes = [(trigger, episode.pa_required_from)]
    causes += [(finding.cause, finding.required_from) for finding in found if finding.cause in episode.records]
    for record_id, required_from in causes:
        if record_id is not None and required_from is not None:
            yield newest[record_id].start, record_id, required_from


def _holds(answer: PayerVerdict, known: PatientCase, day: date) -> bool:
    """Say whether the answer is the one of the payer, and of its policy's version, in force on a day."""
    coverage = prescriptions.coverage_on(known.coverages, day)
    is_payers = (coverage.plan_id if coverage else None) == (answer.plan.pk if answer.plan else None)
    return is_payers and answer.rules.on(day).key == answer.policy.key


def supplied_until(need: Need, newest: Mapping[str, Record]) -> date | None:
    """Return the last day that what was dispensed covers; None where nobody filled an order yet."""
    records = [newest[record_id] for record_id in need.episode.records]
    if all(record.kind is RecordKind.FILL for record in records):
        return need.episode.end
    dispensed = tuple(record for record in need.answer.case.records if record.kind is RecordKind.FILL)
    episodes = evaluate(replace(need.answer.case, records=dispensed), need.answer.formulary).episodes
    ends = [episode.end for episode in episodes if not set(episode.records).isdisjoint(need.episode.records)]
    return max(ends, default=None)


def is_over(need: Need, *, as_of: date) -> bool:
    """Say whether the use lies so far back that nothing can be authorized any more: its episode can no longer go on."""
    return need.episode.end + timedelta(days=need.answer.policy.parameters.gap_days) < as_of


def _excuses(
    patient: Patient, known_at: datetime | None
) -> tuple[tuple[ExemptPeriod, ...], Mapping[int | None, list[Granted]]]:
    """Return, in one statement, a patient's exemptions, and by plan what was granted and is in force."""
    held: Any = prescriptions.held_exemptions(patient, known_at=known_at).annotate(
        plan=Value(None, output_field=IntegerField()),
        rxcui=Value(""),
        days_granted=Value(0),
        quantity_granted=Value(None, output_field=DecimalField()),
    )
    rights = _in_force(patient, known_at).annotate(category=Value(""), plan=F("prior_auth__coverage__plan"))
    told = ("pk", "category", "plan", "starts_on", "ends_on", "rxcui", "days_granted", "quantity_granted")
    rows = held.values_list(*told).union(rights.values_list(*told), all=True)
    exemptions, granted = [], dict[int | None, list[Granted]]()
    for _, category, plan, start, end, rxcui, days, quantity in sorted(rows, key=itemgetter(0)):
        if category:
            exemptions.append(ExemptPeriod(category=category, start=start, end=end))
        else:
            right = Granted(rxcui=rxcui, starts_on=start, ends_on=end, days=days, quantity=quantity)
            granted.setdefault(plan, []).append(right)
    return tuple(exemptions), granted


def in_force(patient: Patient, plan_id: int | None) -> QuerySet[Authorization]:
    """Return what a plan has granted a patient and neither revoked nor superseded."""
    return _in_force(patient, None).filter(prior_auth__coverage__plan=plan_id)


def _in_force(patient: Patient, known_at: datetime | None) -> QuerySet[Authorization]:
    granted = Authorization.objects.filter(prior_auth__patient=patient)
    stands, holds = Q(determination__superseded_by=None), Q(revoked_at=None)
    if known_at is not None:
        granted = granted.filter(opened_at__lt=known_at)
        stands |= Q(determination__superseded_by__decided_at__gte=known_at)
        holds |= Q(revoked_at__gte=known_at)
    return granted.filter(stands, holds)
