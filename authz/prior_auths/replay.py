"""Recompute what was kept, and name every difference.

Two questions are asked of each evaluation. Do its kept inputs still give its kept answer, byte for byte? And do the
tables still tell what those inputs tell, going by what was known at its moment?
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple
from uuid import UUID

from django.db.models import QuerySet

from authz.errors import InvalidInput
from authz.formulary import selectors as formularies
from authz.policies import catalog
from authz.policies.models import PayerPolicy, PolicyState
from authz.policies.selectors import version_of
from authz.policies.version import PolicyVersion
from authz.prescriptions import selectors as prescriptions
from authz.prescriptions.models import Patient
from authz.prior_auths.authorization import Granted, release
from authz.prior_auths.authorizations import right_of
from authz.prior_auths.evaluations import Difference, answer_of, case_from, differing, rights_from, sha256_of
from authz.prior_auths.models import Authorization, Evaluation
from authz.rules.case_json import reason_of
from authz.rules.evaluate import RULE_VERSION, evaluate
from authz.rules.formulary import Formulary
from authz.rules.records import AuthorizedPeriod, Case, Record
from authz.rules.thresholds import findings

TOGETHER = timedelta(minutes=1)
"""What was learned so shortly before or after an evaluation may have come in either order: a request reads the clock,
then waits for the patient's lock, and two servers' clocks differ. There the kept inputs decide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """An evaluation recomputed; without differences it is byte for byte what it was."""

    evaluation: Evaluation
    differences: tuple[Difference, ...]


class _Known(NamedTuple):
    """A fact as the rule reads it, how it is named, and from when until when it was known."""

    value: Hashable
    name: str
    since: datetime
    until: datetime | None = None

    def may_be_known(self, at: datetime) -> bool:
        return self.since <= at + TOGETHER and (self.until is None or self.until >= at - TOGETHER)

    def must_be_known(self, at: datetime) -> bool:
        return self.since < at - TOGETHER and (self.until is None or self.until > at + TOGETHER)


def evaluations(*, patient_id: UUID | None = None, evaluation_id: UUID | None = None) -> QuerySet[Evaluation]:
    """Return all evaluations, or those of one patient, or a single one, patient by patient and oldest first."""
    found = Evaluation.objects.select_related("patient", "plan").order_by("patient_id", "pk")
    if patient_id is not None:
        found = found.filter(patient__public_id=patient_id)
    return found if evaluation_id is None else found.filter(public_id=evaluation_id)


def replay(kept: Iterable[Evaluation]) -> Iterator[Replayed]:
    """Yield each evaluation recomputed; a patient's facts are read once for all evaluations that follow one another."""
    for patient, own in groupby(kept, key=attrgetter("patient")):
        tables = _Tables.of(patient)
        for evaluation in own:
            yield Replayed(evaluation=evaluation, differences=tuple(_differences(evaluation, tables)))


def _differences(evaluation: Evaluation, tables: "_Tables") -> Iterator[Difference]:
    yield from _other_versions(evaluation)
    if not evaluation.inputs:
        yield Difference(says="inputs: none were kept")
        return
    if sha256_of(evaluation.inputs) != evaluation.inputs_sha256:
        yield Difference(says="inputs: they are not the ones of the hash kept beside them")
    try:
        case, rights = case_from(evaluation.inputs), rights_from(evaluation.inputs)
    except InvalidInput as refusal:
        yield Difference(says="inputs: they can no longer be read", values=reason_of(refusal))
        return
    policy = _policy_of(evaluation)
    formulary = formularies.that_answered(evaluation.formulary_version)
    yield from _other_answer(evaluation, case, policy, formulary)
    yield from _other_policy(evaluation, case, policy)
    if rights is not None and release(case, rights, formulary).periods != case.authorizations:
        yield Difference(says="inputs: the authorizations in force release other days now")
    yield from tables.changed_since(evaluation, case, rights)


def _other_versions(evaluation: Evaluation) -> Iterator[Difference]:
    """Name the versions that are not here any more. What follows is recomputed by those that are."""
    if evaluation.rule_version != RULE_VERSION:
        then = f"rule version {evaluation.rule_version!r}"
        yield Difference(says=f"{then} is no longer the current one: {RULE_VERSION!r} is")
    if formularies.by_version(evaluation.formulary_version) is None:
        then, here = evaluation.formulary_version, formularies.current().version
        yield Difference(says=f"formulary version {then!r} is no longer held; the current one is {here!r}")


def _policy_of(evaluation: Evaluation) -> PolicyVersion | None:
    """Return the very version that was applied, never another in its place."""
    code, version = evaluation.policy, evaluation.policy_version
    rows = PayerPolicy.objects.filter(code=code, version=version).exclude(state=PolicyState.DRAFT.value)
    own = rows.filter(insurer=evaluation.plan.insurer_id) if evaluation.plan else rows.none()
    held = (*map(version_of, own), *catalog.policies().get(code, ()))
    return next((policy for policy in held if policy.version == version), None)


def _other_answer(
    evaluation: Evaluation, case: Case, policy: PolicyVersion | None, formulary: Formulary
) -> Iterator[Difference]:
    verdict = evaluate(case, formulary)
    found = findings(case, verdict, policy.thresholds if policy else (), formulary=formulary)
    then, now = evaluation.verdict, answer_of(verdict, found)
    if policy is None:
        # Its thresholds are not known, so what they found cannot be compared. `_other_policy` names it.
        now["findings"] = then.get("findings")
    yield from differing(then, now, "verdict")


def _other_policy(evaluation: Evaluation, case: Case, policy: PolicyVersion | None) -> Iterator[Difference]:
    name = f"policy {evaluation.policy} version {evaluation.policy_version}"
    if policy is None:
        yield Difference(says=f"{name} is no longer held, so its thresholds cannot be applied")
    else:
        yield from differing(case.policy.to_mapping(), policy.parameters.to_mapping(), f"inputs changed: {name}")


@dataclass(frozen=True, slots=True)
class _Tables:
    """What the tables tell of a patient today, each fact with the time in which it was known."""

    patient: Patient
    records: list[_Known]
    exemptions: list[_Known]

    @classmethod
    def of(cls, patient: Patient) -> "_Tables":
        fills = [(v, prescriptions.rule_records([v], [])) for v in prescriptions.fill_versions(patient)]
        orders = [(v, prescriptions.rule_records([], [v])) for v in prescriptions.prescription_versions(patient)]
        return cls(
            patient,
            [_Known(record, _name(record), v.recorded_at) for v, (record,) in [*fills, *orders]],
            [
                _Known(prescriptions.exempt_period(row), "an exemption", row.recorded_at, row.withdrawn_at)
                for row in patient.exemptions.all()
            ],
        )

    def changed_since(self, evaluation: Evaluation, case: Case, rights: list[Granted] | None) -> Iterator[Difference]:
        """Yield where the tables no longer tell what the evaluation read, going by what was known at its moment."""
        if self.patient.merged_into_id is not None:
            yield Difference(says="inputs changed: the patient was merged into another one, and the records with them")
            return
        at = evaluation.evaluated_at
        coverages = self.patient.coverages.filter(plan=evaluation.plan, recorded_at__lte=at + TOGETHER)
        if evaluation.plan is not None and not coverages.exists():
            yield Difference(says="inputs changed: no coverage by the plan that answered was known then")
        told = Case(id=str(self.patient.public_id), as_of=evaluation.as_of, birth_date=self.patient.birth_date)
        for name in ("id", "as_of", "history_start", "birth_date"):
            yield from differing(getattr(case, name), getattr(told, name), f"inputs changed: {name}")
        yield from _compare(((record, _name(record)) for record in case.records), self.records, at)
        yield from _compare(((period, "an exemption") for period in case.exemptions), self.exemptions, at)
        read, told_as = (case.authorizations, _window_of) if rights is None else (rights, right_of)
        granted = self._authorizations(evaluation, told_as)
        yield from _compare(((right, "an authorization") for right in read), granted, at)

    def _authorizations(
        self, evaluation: Evaluation, told_as: Callable[[Authorization], AuthorizedPeriod | Granted]
    ) -> list[_Known]:
        rows = Authorization.objects.filter(
            prior_auth__patient=self.patient, prior_auth__coverage__plan=evaluation.plan
        ).select_related("determination__superseded_by")
        return [_Known(told_as(row), "an authorization", row.opened_at, _ended_at(row)) for row in rows.order_by("pk")]


def _window_of(row: Authorization) -> AuthorizedPeriod:
    """Return what evaluations kept of an authorization when they read nothing else of it."""
    return AuthorizedPeriod(start=row.starts_on, end=row.ends_on)


def _ended_at(row: Authorization) -> datetime | None:
    later = getattr(row.determination, "superseded_by", None)
    ends = [row.revoked_at, later.decided_at if later else None]
    return min((end for end in ends if end is not None), default=None)


def _name(record: Record) -> str:
    return f"version {record.version} of {record.kind.value} {record.id}"


def _compare(read: Iterable[tuple[Hashable, str]], told: Iterable[_Known], at: datetime) -> Iterator[Difference]:
    """Yield what was read and was not known then by the tables, and what must have been known and was not read."""
    left = Counter(read)
    possible = [known for known in told if known.may_be_known(at)]
    for known in sorted(possible, key=lambda known: not known.must_be_known(at)):
        fact = (known.value, known.name)
        if left[fact] > 0:
            left[fact] -= 1
        elif known.must_be_known(at):
            yield Difference(says=f"inputs changed: {known.name} was not read then", values=repr(known.value))
    for value, name in left.elements():
        yield Difference(says=f"inputs changed: {name} was read then and is not told now", values=repr(value))
