"""The clinic's side of a request: take it up, answer, have the prescriber attest, submit, withdraw."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime

from django.db import transaction

from authz import clock
from authz.access.roles import Actor, Role
from authz.audit import services as audit
from authz.documentation.conditions import JsonValue
from authz.documentation.models import AnswerSheet
from authz.documentation.questionnaire import Source
from authz.documentation.services import answers as documentation
from authz.documentation.standing import Given, Standing, missing, standing
from authz.errors import AuthzError, Forbidden, InvalidInput
from authz.ids import PriorAuthId
from authz.policies.selectors import version_named
from authz.prior_auths.answer_sheet import sheet_of, standing_of
from authz.prior_auths.deadlines import Urgency
from authz.prior_auths.evaluations import sha256_of
from authz.prior_auths.lifecycle import BEFORE_SUBMISSION, State, Step
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.packet import packet_of
from authz.prior_auths.prefill import earlier_answers, prefill_of
from authz.prior_auths.services import papers, steps
from authz.prior_auths.services.calling import cancel_open
from authz.prior_auths.services.exempting import why_not_to_ask
from authz.prior_auths.services.regime import put_under_regime
from authz.prior_auths.visibility import may_attest

_URGENCY = "req.urgency"


class NotReady(AuthzError):
    """The request cannot be submitted yet. `fields` names what is missing."""

    code = "not-ready"

    def __init__(self, fields: Mapping[str, list[str]]) -> None:
        super().__init__("The request is not ready to be submitted.")
        self.fields = dict(fields)


class NothingToAttest(AuthzError):
    """Everything that only the prescriber may answer is answered."""

    code = "nothing-to-attest"


class AnswersClosed(AuthzError):
    """The answers can be changed only between taking up the request and submitting it."""

    code = "answers-closed"


@transaction.atomic
def take_up(*, prior_auth_id: PriorAuthId, by: Actor, now: datetime, expected_version: int | None = None) -> PriorAuth:
    """Start to complete a detected request; what is known is prefilled, each value with its source.

    What the clinic confirmed on the patient's earlier requests is offered again: nobody is asked twice.

    :raises NotFound: when the clinic has no such request.
    :raises IllegalStep: when it cannot be taken up now.
    """
    prior_auth = steps.lock(prior_auth_id=prior_auth_id, by=by, expected_version=expected_version)
    steps.must_be_legal(prior_auth, Step.TAKE_UP, by)
    on = _today(prior_auth, now)
    prior_auth.answers = documentation.start_sheet(
        prefill=prefill_of(prior_auth, on=on), earlier=earlier_answers(prior_auth), on=on, now=now
    )
    steps.take(prior_auth, Step.TAKE_UP, by=by, now=now)
    return prior_auth


@transaction.atomic
def answer_questions(
    *,
    prior_auth_id: PriorAuthId,
    answers: Mapping[str, JsonValue],
    source: Source | None = None,
    by: Actor,
    now: datetime,
    expected_version: int | None = None,
) -> PriorAuth:
    """Give, confirm or (with None) take back answers of the questionnaire, by question id.

    `source` says where new answers were taken from, such as the chart; by default they are the person's own.

    :raises AnswersClosed: before the request is taken up and after it is submitted.
    :raises InvalidInput: naming every answer that is wrong.
    """
    prior_auth = steps.lock(prior_auth_id=prior_auth_id, by=by, expected_version=expected_version)
    if by.organization_id != prior_auth.clinic_id or by.roles.isdisjoint({Role.STAFF, Role.PRESCRIBER}):
        raise Forbidden("Only the clinic's staff and prescribers answer these questions.")
    _answer(prior_auth, answers, source, by, now)
    prior_auth.touched_by_human_at = now
    prior_auth.version += 1
    prior_auth.save(update_fields=["touched_by_human_at", "version"])
    audit.record(by=by, action="answer", subject_kind="prior-auth", subject_id=prior_auth.public_id, now=now)
    return prior_auth


@transaction.atomic
def ask_prescriber(
    *, prior_auth_id: PriorAuthId, question: str, by: Actor, now: datetime, expected_version: int | None = None
) -> PriorAuth:
    """Ask the prescriber for the answers only they may give; they are told at once.

    :raises NothingToAttest: when none of these is open.
    """
    prior_auth = steps.lock(prior_auth_id=prior_auth_id, by=by, expected_version=expected_version)
    steps.must_be_legal(prior_auth, Step.ASK_PRESCRIBER, by)
    asked = standing_of(prior_auth, on=_today(prior_auth, now))
    if not any(one.question.only_prescriber and one.to_do for one in asked):
        raise NothingToAttest("The prescriber has answered everything that only they may answer.")
    prior_auth.touched_by_human_at = now
    steps.take(prior_auth, Step.ASK_PRESCRIBER, by=by, now=now, note=question)
    return prior_auth


@transaction.atomic
def take_back(
    *, prior_auth_id: PriorAuthId, by: Actor, now: datetime, expected_version: int | None = None
) -> PriorAuth:
    """Take a request back from the prescriber, whose answers stay open."""
    prior_auth = steps.lock(prior_auth_id=prior_auth_id, by=by, expected_version=expected_version)
    steps.take(prior_auth, Step.TAKE_BACK, by=by, now=now)
    return prior_auth


@transaction.atomic
def answer_prescriber(
    *,
    prior_auth_id: PriorAuthId,
    answers: Mapping[str, JsonValue],
    by: Actor,
    now: datetime,
    expected_version: int | None = None,
) -> PriorAuth:
    """Give the prescriber's answers and hand the request back to the staff.

    :raises InvalidInput: naming every answer that is wrong.
    """
    prior_auth = steps.lock(prior_auth_id=prior_auth_id, by=by, expected_version=expected_version)
    steps.must_be_legal(prior_auth, Step.ANSWER_PRESCRIBER, by)
    _answer(prior_auth, answers, None, by, now)
    steps.take(prior_auth, Step.ANSWER_PRESCRIBER, by=by, now=now)
    return prior_auth


@transaction.atomic
def submit(
    *,
    prior_auth_id: PriorAuthId,
    by: Actor,
    now: datetime,
    urgency: Urgency | None = None,
    expected_version: int | None = None,
) -> PriorAuth:
    """Send the request to the insurer: what it receives is frozen with a hash, and the decision clock starts.

    Without an `urgency` the answer to that question holds, and without one the request is standard.

    :raises NotReady: naming what is missing.
    :raises IllegalStep: when it cannot be submitted now.
    """
    prior_auth = steps.lock(prior_auth_id=prior_auth_id, by=by, expected_version=expected_version)
    steps.must_be_legal(prior_auth, Step.SUBMIT, by)
    answers = _answers_on_submission(prior_auth, urgency, by, now)
    if lacking := _lacking(prior_auth, answers, by):
        raise NotReady(lacking)
    prior_auth.urgency = (urgency or _urgency_answered(answers)).value
    put_under_regime(prior_auth=prior_auth, plan=prior_auth.coverage.plan if prior_auth.coverage else None, now=now)
    prior_auth.decider_specialties = _decider_specialties(prior_auth)
    prior_auth.submitted_at = now
    prior_auth.run_out_told = None  # the clinic has heard of it; from now on it is the insurer's as well
    prior_auth.packet = packet_of(prior_auth, answers, by=by)
    prior_auth.packet_sha256 = sha256_of(prior_auth.packet)
    papers.write_packet(prior_auth=prior_auth, now=now)
    steps.take(prior_auth, Step.SUBMIT, by=by, now=now)
    if prior_auth.urgency == Urgency.EXPEDITED.value:
        steps.take(prior_auth, Step.EXPEDITE, by=by, now=now, is_silent=True)
    return prior_auth


@transaction.atomic
def withdraw(
    *, prior_auth_id: PriorAuthId, reason: str, by: Actor, now: datetime, expected_version: int | None = None
) -> PriorAuth:
    """End the request without a determination, because the clinic no longer asks for it.

    :raises InvalidInput: without a reason.
    """
    if not reason.strip():
        raise InvalidInput({"reason": ["Say why the request is withdrawn."]})
    prior_auth = steps.lock(prior_auth_id=prior_auth_id, by=by, expected_version=expected_version)
    prior_auth.leased_until = prior_auth.reviewer = None
    steps.take(prior_auth, Step.WITHDRAW, by=by, now=now, note=reason)
    cancel_open(prior_auth=prior_auth, now=now)
    return prior_auth


def _answer(
    prior_auth: PriorAuth, answers: Mapping[str, JsonValue], source: Source | None, by: Actor, now: datetime
) -> None:
    sheet = open_sheet(prior_auth)
    documentation.answer(
        sheet=sheet,
        known=sheet_of(prior_auth, sheet, on=_today(prior_auth, now)),
        values=answers,
        source=source,
        may_attest=may_attest(prior_auth, by),
        by=by,
        now=now,
    )


def open_sheet(prior_auth: PriorAuth) -> AnswerSheet:
    """Return the answers of a request while they can be changed.

    :raises AnswersClosed: before the request is taken up and after it is submitted.
    """
    if prior_auth.answers is None or State(prior_auth.state) not in BEFORE_SUBMISSION:
        raise AnswersClosed("Take the request up first; once it is submitted its answers are frozen.")
    return prior_auth.answers


def _decider_specialties(prior_auth: PriorAuth) -> list[str]:
    policy = version_named(prior_auth.insurer_id, prior_auth.policy, prior_auth.policy_version)
    return [specialty.value for specialty in policy.deciders] if policy else []


def _today(prior_auth: PriorAuth, now: datetime) -> date:
    return clock.day_in(prior_auth.clinic.time_zone, at=now)


def _answers_on_submission(prior_auth: PriorAuth, urgency: Urgency | None, by: Actor, now: datetime) -> list[Standing]:
    """Return where the answers stand, with the urgency that was said on submission, if any."""
    if prior_auth.answers is None:
        return []
    on = _today(prior_auth, now)
    sheet = sheet_of(prior_auth, prior_auth.answers, on=on)
    if urgency is not None:
        said = Given(
            value=urgency.value, source=Source.STAFF, answered_on=on, confirmed_on=on, confirmed_by=by.person_id
        )
        sheet = replace(sheet, given={**sheet.given, _URGENCY: said})
    return standing(sheet)


def _urgency_answered(answers: list[Standing]) -> Urgency:
    said = next((one.value for one in answers if one.question.link_id == _URGENCY and one.counts), None)
    return Urgency(said) if isinstance(said, str) else Urgency.STANDARD


def _lacking(prior_auth: PriorAuth, answers: list[Standing], by: Actor) -> dict[str, list[str]]:
    lacking: dict[str, list[str]] = {}
    if by.person_id is None:
        lacking["by"] = ["Only a person can confirm and submit a request."]
    if prior_auth.insurer_id is None:
        lacking["coverage"] = ["Record the patient's coverage: it is not known which insurer decides."]
    if prior_auth.answers is None:
        lacking["answers"] = ["Take the request up and answer its questions."]
    if needless := why_not_to_ask(prior_auth):
        lacking["answers.ex.reason"] = [needless]
    return lacking | {f"answers.{name}": [sentence] for name, sentence in missing(answers).items()}
