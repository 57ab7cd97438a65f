"""Recompute, compare, write: open a request that is needed, follow one that is open, retract one that is not needed.

Called inside the transaction that recorded the fact, with the patient's row locked. Any number of runs in any order
come to the same end, so a repeated or overtaken message changes nothing.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from itertools import combinations
from typing import Any
from uuid import UUID

from authz import clock
from authz.access.models import Organization
from authz.access.roles import SYSTEM, Actor, OrganizationKind
from authz.access.tenancy import across_tenants
from authz.audit import services as audit
from authz.documentation.services import answers as documentation
from authz.errors import AuthzError, Forbidden, InvalidInput
from authz.outbox.services import announce
from authz.policies.clause import clause_to_json
from authz.policies.stillness import keep_policies
from authz.prescriptions.models import Fill, FillVersion, Patient, Prescriber, Prescription, PrescriptionVersion
from authz.prior_auths import needs as needs_of
from authz.prior_auths.asking import lines_asked, records_in_order
from authz.prior_auths.evaluations import answer_of, inputs_of, sha256_of
from authz.prior_auths.lifecycle import ACTIVE, BEFORE_SUBMISSION, TABLE, State, Step, is_allowed
from authz.prior_auths.models import Evaluation, PriorAuth, RequestedLine
from authz.prior_auths.needs import Need, PatientCase, PayerVerdict
from authz.prior_auths.new_fact import StatedFact
from authz.prior_auths.prefill import earlier_answers, prefill_of
from authz.prior_auths.same_use import serves_the_same
from authz.prior_auths.services import steps
from authz.prior_auths.services.news import must_be_news, shares, was_answered
from authz.prior_auths.services.numbers import next_request_number
from authz.prior_auths.services.regime import put_under_regime
from authz.prior_auths.visibility import named_to
from authz.rules.thresholds import finding_to_json
from authz.rules.trace import trace_to_json

NEED_IN_DOUBT = "prior-auth.need-in-doubt"
DUPLICATE_SUSPECTED = "prior-auth.duplicate-suspected"
_MAY_LAPSE = frozenset({State.DETECTED.value, State.DRAFT.value})
_BEFORE_SUBMISSION = frozenset(state.value for state in BEFORE_SUBMISSION)
_ACTIVE = frozenset(state.value for state in ACTIVE)


class AlreadyOpen(AuthzError):
    """There is an active request for this use already. `context["request"]` is its id, unless it is another's."""

    code = "already-open"


def recheck(*, patient: Patient, on: date, now: datetime) -> None:
    """Bring a locked patient's requests into line with what the rule says on that day."""
    keep_policies()
    known = needs_of.case_of(patient)
    if not known.records:
        return
    payers = needs_of.answers(known, as_of=on)
    kept = {payer.key: _keep(patient, payer, on, now) for payer in payers}
    current = [need for need in needs_of.needs(known, payers) if not needs_of.is_over(need, as_of=on)]
    requests = list(PriorAuth.objects.select_for_update().filter(patient=patient).order_by("pk"))
    if known.part2:
        _put_under_part2(requests)
    needed: set[int] = set()
    for need in current:
        evaluation = kept[need.answer.key]
        request = _active_for(need, requests)
        if request is not None:
            _follow(request, need, known, evaluation, now)
            needed.add(request.pk)
        elif not was_answered(need, requests=requests):
            opened = _open(need, known, evaluation, on, now)
            if opened is not None:
                requests.append(opened)
                needed.add(opened.pk)
    for request in requests:
        if request.state in _ACTIVE and request.pk not in needed:
            _doubt(request, [other for other in requests if other.pk in needed], on, now)
    _suspect_what_shares(requests, now)


@across_tenants("another clinic's request may ask for the same use already")
def open_by_hand(
    *, patient: Patient, reason: str, by: Actor, on: date, now: datetime, new_fact: StatedFact | None = None
) -> PriorAuth:
    """Open a request for a locked patient's latest use, though the rule does not ask for one; it is a draft at once.

    :raises Forbidden: when the actor's role does not open requests.
    :raises InvalidInput: when no use is known that an approval could be asked for.
    :raises AlreadyOpen: when an active request covers the use.
    :raises NewFactNeeded: when it was decided against, no record is newer, and no new fact is stated.
    """
    if not is_allowed(Step.OPEN_BY_HAND, state=None, roles=by.roles):
        raise Forbidden("Your role does not allow you to open a request.")
    known = needs_of.case_of(patient)
    need = needs_of.latest_use(known, needs_of.answers(known, as_of=on), on=on)
    if need is None:
        raise InvalidInput({"patient": ["No opioid use is known that an approval could be asked for."]})
    requests = list(PriorAuth.objects.select_for_update().filter(patient=patient).order_by("pk"))
    request = _active_for(need, requests)
    if request is not None:
        raise AlreadyOpen("There is an active request for this use.", **named_to(by, request))
    must_be_news(need, requests=requests, stated=new_fact)
    clinic = Organization.objects.get(pk=by.organization)
    opened = open_for(
        need=need, known=known, clinic=clinic, step=Step.OPEN_BY_HAND, by=by, on=on, now=now, reason=reason
    )
    opened.answers = documentation.start_sheet(
        prefill=prefill_of(opened, on=on), earlier=earlier_answers(opened), on=on, now=now
    )
    opened.touched_by_human_at = now
    if new_fact is not None:
        opened.new_fact_kind, opened.new_fact = new_fact.kind.value, new_fact.sentence
    opened.save(update_fields=["answers", "touched_by_human_at", "new_fact_kind", "new_fact"])
    return opened


def open_for(
    *,
    need: Need,
    known: PatientCase,
    clinic: Organization,
    step: Step,
    by: Actor,
    on: date,
    now: datetime,
    reason: str = "",
) -> PriorAuth:
    """Open a request for a use that the rule did not ask one for, at a clinic; the patient is locked."""
    evaluation = _keep(known.patient, need.answer, on, now)
    return _create(need, known, evaluation, clinic, step, by, now, reason=reason)


def _keep(patient: Patient, payer: PayerVerdict, on: date, now: datetime) -> Evaluation:
    """Keep the answer with all it rests on, unless the last one kept rests on the very same."""
    policy, version = payer.policy.key
    inputs = inputs_of(payer.case, payer.policy.key, payer.rights)
    inputs_sha256 = sha256_of(inputs)
    same = Evaluation.objects.filter(patient=patient, plan=payer.plan, policy=policy, policy_version=version)
    latest = same.order_by("-pk").first()
    verdict = payer.verdict
    rests_on = (inputs_sha256, verdict.rule_version, verdict.formulary_version)
    if latest and (latest.inputs_sha256, latest.rule_version, latest.formulary_version) == rests_on:
        return latest
    return Evaluation.objects.create(
        patient=patient,
        plan=payer.plan,
        as_of=on,
        evaluated_at=now,
        policy=policy,
        policy_version=version,
        rule_version=verdict.rule_version,
        formulary_version=verdict.formulary_version,
        inputs_sha256=inputs_sha256,
        is_required=payer.is_required,
        attention_count=len(verdict.attention),
        inputs=inputs,
        verdict=answer_of(verdict, payer.findings),
    )


def _active_for(need: Need, requests: Sequence[PriorAuth]) -> PriorAuth | None:
    """Return the active request for this episode: recognised by shared records, because episodes are recomputed.

    Before submission a request follows its patient to another coverage; afterwards it stays with its insurer.
    """
    key = need.coverage.pk if need.coverage else None
    sharing = [r for r in requests if r.state in _ACTIVE and shares(r, need=need)]
    same = [r for r in sharing if r.coverage_id == key]
    movable = [r for r in sharing if r.state in _BEFORE_SUBMISSION]
    return next(iter(same or movable), None)


def _open(need: Need, known: PatientCase, evaluation: Evaluation, on: date, now: datetime) -> PriorAuth | None:
    """Open the request, and announce it in the same transaction. Without any clinic to complete it there is none."""
    clinic = _clinic_of(need, known)
    if clinic is None:
        return None
    return _create(need, known, evaluation, clinic, Step.OPEN, SYSTEM, now)


def _create(
    need: Need,
    known: PatientCase,
    evaluation: Evaluation,
    clinic: Organization,
    step: Step,
    by: Actor,
    now: datetime,
    *,
    reason: str = "",
) -> PriorAuth:
    row = TABLE[step]
    request = PriorAuth(
        number=next_request_number(now=now),
        patient=known.patient,
        clinic=clinic,
        state=row.target.value if row.target else "",
        episode_anchor=UUID(records_in_order(need, known.newest)[0].id),
        record_ids=sorted(need.record_ids),
        opened_at=now,
        reason=reason,
        is_part2=bool(known.part2),
    )
    _describe(request, need, known, evaluation)
    request.version = 0
    request.save()
    steps.record(request, step, from_state="", by=by, now=now, note=reason)
    request.save(update_fields=["version"])
    _write_lines(request, need, known)
    announce(topic=row.says, subject_id=request.public_id, now=now)
    return request


def _follow(request: PriorAuth, need: Need, known: PatientCase, evaluation: Evaluation, now: datetime) -> None:
    """Bring an open request up to date with its episode. What was submitted keeps what was submitted."""
    grown = sorted(need.record_ids | set(request.record_ids))
    is_news = grown != request.record_ids or request.need_in_doubt_at is not None
    moved = request.coverage_id != (need.coverage.pk if need.coverage else None)
    if not is_news and not moved and request.evaluation_id == evaluation.pk:
        return
    request.record_ids = grown
    request.need_in_doubt_at = None
    _count(request, need, known)
    if request.state in _BEFORE_SUBMISSION:
        _describe(request, need, known, evaluation)
        _write_lines(request, need, known)
        if request.answers is not None:
            today = clock.day_in(request.clinic.time_zone, at=now)
            documentation.refresh(sheet=request.answers, prefill=prefill_of(request, on=today), now=now)
    request.save()
    audit.record(by=SYSTEM, action="follow", subject_kind="prior-auth", subject_id=request.public_id, now=now)


def _put_under_part2(requests: Sequence[PriorAuth]) -> None:
    """Have the notice go with each of a patient's requests, the ended ones too: each tells of all that was known."""
    for request in requests:
        if not request.is_part2:
            request.is_part2 = True
            request.save(update_fields=["is_part2"])


def _doubt(request: PriorAuth, needed: Sequence[PriorAuth], on: date, now: datetime) -> None:
    """Let a request lapse that nobody has written in; otherwise tell once that another one serves its use, or none.

    One that people opened without the rule stays as they want it, a renewal while it lies ahead, and one that was
    reopened because what was decided on it stands.
    """
    lies_ahead = request.renews_id is not None and request.pa_required_from >= on
    if lies_ahead or request.reopened_at is not None:
        return
    survivor = next((other for other in needed if serves_the_same(other, request)), None)
    if request.state in _MAY_LAPSE and request.touched_by_human_at is None:
        steps.take(request, Step.RETRACT, by=SYSTEM, now=now, note="What is known now no longer needs an approval.")
    elif survivor is not None and request.duplicate_of_id is None:
        _suspect(request, survivor, now)
    elif request.need_in_doubt_at is None and not request.reason:
        request.need_in_doubt_at = now
        request.save(update_fields=["need_in_doubt_at"])
        audit.record(by=SYSTEM, action="doubt", subject_kind="prior-auth", subject_id=request.public_id, now=now)
        announce(topic=NEED_IN_DOUBT, subject_id=request.public_id, now=now)


def _suspect_what_shares(requests: Sequence[PriorAuth], now: datetime) -> None:
    """Mark one of any two active requests that have come to share a record: what was reopened is never in doubt.

    The database holds it. A renewal asks for the days after.
    """
    active = [one for one in requests if one.state in _ACTIVE and one.renews_id is None]
    active.sort(key=lambda one: (one.reopened_at is None, one.pk))
    for one, other in combinations(active, 2):
        if one.duplicate_of_id is None and other.duplicate_of_id is None and serves_the_same(one, other):
            _suspect(other, one, now)


def _suspect(request: PriorAuth, survivor: PriorAuth, now: datetime) -> None:
    request.duplicate_of = survivor
    request.save(update_fields=["duplicate_of"])
    audit.record(by=SYSTEM, action="suspect", subject_kind="prior-auth", subject_id=request.public_id, now=now)
    announce(topic=DUPLICATE_SUSPECTED, subject_id=request.public_id, now=now)


def _count(request: PriorAuth, need: Need, known: PatientCase) -> None:
    """Write into the request how many days its use covers, and until when what was dispensed lasts."""
    supplied_until = needs_of.supplied_until(need, known.newest)
    request.is_dispensed = supplied_until is not None
    request.runs_out_on = supplied_until or need.episode.start - timedelta(days=1)
    request.covered_days = need.episode.covered_days


def _describe(request: PriorAuth, need: Need, known: PatientCase, evaluation: Evaluation) -> None:
    """Write into the request what the rule says and whose policy said it."""
    answer, plan = need.answer, need.answer.plan
    request.coverage = need.coverage
    request.insurer = plan.insurer if plan else None
    request.prescriber = _prescriber_of(need.trigger_id)
    request.evaluation = evaluation
    request.policy, request.policy_version = answer.policy.code, answer.policy.version
    put_under_regime(prior_auth=request, plan=plan, now=evaluation.evaluated_at)
    request.is_payer_rule_unknown = answer.is_payer_rule_unknown
    _count(request, need, known)
    request.pa_required_from = need.required_from
    request.explanation = {
        "sentences": answer.sentences,
        "policy": clause_to_json(answer.policy),
        "trace": _trace(need),
        "payer_rule_unknown": answer.is_payer_rule_unknown,
        "findings": [finding_to_json(finding) for finding in answer.findings],
    }


def _trace(need: Need) -> dict[str, Any]:
    """Return how the verdict was reached: every record, and the days of the episode that needs authorization."""
    told = trace_to_json(need.answer.trace())
    place = need.answer.verdict.episodes.index(need.episode)
    return told | {"episodes": [told["episodes"][place]]}


def _write_lines(request: PriorAuth, need: Need, known: PatientCase) -> None:
    request.lines.all().delete()
    refills = _refills_of(need)
    for number, line in enumerate(lines_asked(need, known.newest), start=1):
        asked = {**asdict(line), "refills": refills.get(line.rxcui)}
        RequestedLine.objects.create(prior_auth=request, line=number, **asked)


def _refills_of(need: Need) -> dict[str, int]:
    """Return, by product, the most refills that an order of the use allows; a fill says nothing of them."""
    orders = PrescriptionVersion.objects.filter(prescription__public_id__in=need.record_ids)
    newest = {row.prescription_id: row for row in orders.order_by("version")}
    told = sorted((row.rxcui, row.refills) for row in newest.values() if row.refills is not None)
    return dict(told)


def _clinic_of(need: Need, known: PatientCase) -> Organization | None:
    """Return the clinic to complete it: the one that recorded the cause, else the prescriber's, else the latest."""
    recorded_by = Organization.objects.filter(pk=_row_of(need.trigger_id).organization_id)
    prescriber = _prescriber_of(need.trigger_id)
    # Only a clinic that knows the patient may learn of them, whoever says that the prescriber works there.
    treats = Organization.objects.filter(pk__in=known.patient.identifiers.values("assigner_id"))
    practises_at = treats.filter(prescribers=prescriber) if prescriber else Organization.objects.none()
    for candidates in (recorded_by, practises_at, treats):
        clinic = candidates.filter(kind=OrganizationKind.CLINIC.value).order_by("pk").first()
        if clinic is not None:
            return clinic
    return None


def _row_of(record_id: str) -> Fill | Prescription:
    fill = Fill.objects.filter(public_id=record_id).first()
    return fill if fill is not None else Prescription.objects.get(public_id=record_id)


def _prescriber_of(record_id: str) -> Prescriber | None:
    version: FillVersion | PrescriptionVersion | None = (
        FillVersion.objects.filter(fill__public_id=record_id).select_related("prescriber").order_by("-version").first()
        or PrescriptionVersion.objects.filter(prescription__public_id=record_id)
        .select_related("prescriber")
        .order_by("-version")
        .first()
    )
    return version.prescriber if version else None
