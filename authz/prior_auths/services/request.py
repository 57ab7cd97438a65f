"""The clinic's side of a request: take it up, answer, have the prescriber attest, submit, withdraw."""

import json
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256

from django.db import transaction

from authz.access.roles import Actor, Role
from authz.audit import services as audit
from authz.documentation import services as documentation
from authz.documentation.models import AnswerSheet
from authz.documentation.questionnaire import JsonValue
from authz.errors import AuthzError, Forbidden, InvalidInput
from authz.ids import PriorAuthId
from authz.prior_auths.deadlines import Urgency
from authz.prior_auths.lifecycle import BEFORE_SUBMISSION, State, Step
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.prefill import prefill_of
from authz.prior_auths.services import steps
from authz.prior_auths.services.regime import put_under_regime


class NotReady(AuthzError):
    """The request cannot be submitted yet. `fields` names what is missing."""

    code = "not-ready"

    def __init__(self, fields: Mapping[str, list[str]]) -> None:
        super().__init__("The request is not ready to be submitted.")
        self.fields = dict(fields)


class AnswersClosed(AuthzError):
    """The answers can be changed only between taking up the request and submitting it."""

    code = "answers-closed"


@transaction.atomic
def take_up(*, prior_auth_id: PriorAuthId, by: Actor, now: datetime, expected_version: int | None = None) -> PriorAuth:
    """Start to complete a detected request; what is known is prefilled, each value with its source.

    :raises NotFound: when the clinic has no such request.
    :raises IllegalStep: when it cannot be taken up now.
    """
    prior_auth = steps.lock(prior_auth_id=prior_auth_id, by=by, expected_version=expected_version)
    steps.must_be_legal(prior_auth, Step.TAKE_UP, by)
    prior_auth.answers = documentation.start_sheet(prefill=prefill_of(prior_auth), now=now)
    steps.take(prior_auth, Step.TAKE_UP, by=by, now=now)
    return prior_auth


@transaction.atomic
def answer_questions(
    *,
    prior_auth_id: PriorAuthId,
    answers: Mapping[str, JsonValue],
    by: Actor,
    now: datetime,
    expected_version: int | None = None,
) -> PriorAuth:
    """Give or confirm answers of the questionnaire, by question id.

    :raises AnswersClosed: before the request is taken up and after it is submitted.
    :raises InvalidInput: naming every answer that is wrong.
    """
    prior_auth = steps.lock(prior_auth_id=prior_auth_id, by=by, expected_version=expected_version)
    if by.organization_id != prior_auth.clinic_id or by.roles.isdisjoint({Role.STAFF, Role.PRESCRIBER}):
        raise Forbidden("Only the clinic's staff and prescribers answer these questions.")
    sheet, may_attest = _open_sheet(prior_auth), _may_attest(prior_auth, by)
    documentation.answer(sheet=sheet, values=answers, may_attest=may_attest, by=by, now=now)
    prior_auth.touched_by_human_at = now
    prior_auth.version += 1
    prior_auth.save(update_fields=["touched_by_human_at", "version"])
    audit.record(by=by, action="answer", subject_kind="prior-auth", subject_id=prior_auth.public_id, now=now)
    return prior_auth


@transaction.atomic
def ask_prescriber(
    *, prior_auth_id: PriorAuthId, question: str, by: Actor, now: datetime, expected_version: int | None = None
) -> PriorAuth:
    """Ask the prescriber for the answers only they may give; they are told at once."""
    prior_auth = steps.lock(prior_auth_id=prior_auth_id, by=by, expected_version=expected_version)
    prior_auth.touched_by_human_at = now
    steps.take(prior_auth, Step.ASK_PRESCRIBER, by=by, now=now, note=question)
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
    sheet, may_attest = _open_sheet(prior_auth), _may_attest(prior_auth, by)
    documentation.answer(sheet=sheet, values=answers, may_attest=may_attest, by=by, now=now)
    steps.take(prior_auth, Step.ANSWER_PRESCRIBER, by=by, now=now)
    return prior_auth


@transaction.atomic
def submit(
    *,
    prior_auth_id: PriorAuthId,
    by: Actor,
    now: datetime,
    urgency: Urgency = Urgency.STANDARD,
    expected_version: int | None = None,
) -> PriorAuth:
    """Send the request to the insurer: the answers are frozen with a hash and the decision clock starts.

    :raises NotReady: naming what is missing.
    :raises IllegalStep: when it cannot be submitted now.
    """
    prior_auth = steps.lock(prior_auth_id=prior_auth_id, by=by, expected_version=expected_version)
    steps.must_be_legal(prior_auth, Step.SUBMIT, by)
    if missing := _missing(prior_auth, by):
        raise NotReady(missing)
    prior_auth.urgency = urgency.value
    put_under_regime(prior_auth=prior_auth, plan=prior_auth.coverage.plan if prior_auth.coverage else None, now=now)
    prior_auth.packet = _packet(prior_auth)
    prior_auth.packet_sha256 = sha256(_canonical(prior_auth.packet)).hexdigest()
    prior_auth.submitted_at = now
    steps.take(prior_auth, Step.SUBMIT, by=by, now=now)
    if urgency is Urgency.EXPEDITED:
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
    return prior_auth


def _may_attest(prior_auth: PriorAuth, by: Actor) -> bool:
    """Say whether to attest is this person's: the prescriber's own, or, where they have no log-in, a colleague's."""
    prescriber = prior_auth.prescriber
    is_the_one = prescriber is None or prescriber.person_id is None or prescriber.person_id == by.person_id
    return Role.PRESCRIBER in by.roles and is_the_one


def _open_sheet(prior_auth: PriorAuth) -> AnswerSheet:
    if prior_auth.answers is None or State(prior_auth.state) not in BEFORE_SUBMISSION:
        raise AnswersClosed("Take the request up first; once it is submitted its answers are frozen.")
    return prior_auth.answers


def _missing(prior_auth: PriorAuth, by: Actor) -> dict[str, list[str]]:
    missing: dict[str, list[str]] = {}
    if by.person_id is None:
        missing["by"] = ["Only a person can confirm and submit a request."]
    if prior_auth.insurer_id is None:
        missing["coverage"] = ["Record the patient's coverage: it is not known which insurer decides."]
    if prior_auth.answers is None:
        missing["answers"] = ["Take the request up and answer its questions."]
        return missing
    return missing | {
        f"answers.{question.link_id}": [f"Answer or confirm: {question.text}"]
        for question in documentation.unanswered(sheet=prior_auth.answers)
    }


def _packet(prior_auth: PriorAuth) -> dict[str, JsonValue]:
    """Return what the insurer receives, frozen: the answers, what is asked for and why."""
    sheet = prior_auth.answers
    answers = sheet.answers.order_by("question") if sheet else []
    return {
        "questionnaire": sheet.questionnaire if sheet else None,
        "answers": [{"question": a.question, "value": a.value, "source": a.source} for a in answers],
        "lines": [
            {
                "line": line.line,
                "rxcui": line.rxcui,
                "product_name": line.product_name,
                "quantity": None if line.quantity is None else str(line.quantity),
                "days_supply": line.days_supply,
                "starts_on": line.starts_on.isoformat(),
                "ends_on": line.ends_on.isoformat(),
            }
            for line in prior_auth.lines.order_by("line")
        ],
        "explanation": prior_auth.explanation,
        "policy": f"{prior_auth.policy}-{prior_auth.policy_version}",
    }


def _canonical(packet: dict[str, JsonValue]) -> bytes:
    return json.dumps(packet, sort_keys=True, separators=(",", ":")).encode()
