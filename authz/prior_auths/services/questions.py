"""What the insurer still needs to know: asked item by item, answered by the clinic."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from authz.access.roles import Actor
from authz.errors import AuthzError, InvalidInput
from authz.ids import PriorAuthId
from authz.policies import regimes
from authz.policies.regime import MissingInformation
from authz.prior_auths.deadlines import Urgency
from authz.prior_auths.lifecycle import Step
from authz.prior_auths.models import InformationRequest, PriorAuth
from authz.prior_auths.review_queue import is_absent
from authz.prior_auths.services import steps
from authz.prior_auths.services.queue import LEASE, in_hand, person_of

# Where the clock runs on whatever is missing, nothing is returned: it would only cost the clinic time.
_RUNS_ON = frozenset({MissingInformation.KEEPS_RUNNING, MissingInformation.MAY_EXTEND})


class ReturnNotAllowed(AuthzError):
    """The request's regime knows no return of an incomplete request."""

    code = "return-not-allowed"


@transaction.atomic
def return_incomplete(
    *,
    prior_auth_id: PriorAuthId,
    missing: Sequence[str],
    by: Actor,
    now: datetime,
    expected_version: int | None = None,
) -> PriorAuth:
    """Say, item by item, what is missing before the insurer's clock may start.

    :raises InvalidInput: without an item.
    :raises ReturnNotAllowed: where the regime's clock runs on while something is missing.
    """
    _must_say_something("missing", missing)
    prior_auth = steps.lock(prior_auth_id=prior_auth_id, by=by, expected_version=expected_version)
    steps.must_be_legal(prior_auth, Step.RETURN, by)
    _must_be_waited_for(prior_auth)
    _ask(prior_auth, missing, by, now)
    steps.take(prior_auth, Step.RETURN, by=by, now=now)
    return prior_auth


@transaction.atomic
def complete(
    *,
    prior_auth_id: PriorAuthId,
    answers: Mapping[UUID, str],
    by: Actor,
    now: datetime,
    expected_version: int | None = None,
) -> PriorAuth:
    """Give everything that was missing; the request is back in the queue.

    :raises InvalidInput: when an item is not given, or an answer fits none.
    """
    prior_auth = steps.lock(prior_auth_id=prior_auth_id, by=by, expected_version=expected_version)
    steps.must_be_legal(prior_auth, Step.COMPLETE, by)
    _keep_answers(prior_auth, answers, by, now)
    prior_auth.screened_at = None
    steps.take(prior_auth, Step.COMPLETE, by=by, now=now)
    return prior_auth


@transaction.atomic
def ask(
    *,
    prior_auth_id: PriorAuthId,
    questions: Sequence[str],
    by: Actor,
    now: datetime,
    expected_version: int | None = None,
) -> PriorAuth:
    """Ask the clinic, item by item. The generic regime's clock keeps running.

    :raises InvalidInput: without a question.
    """
    _must_say_something("questions", questions)
    prior_auth = in_hand(prior_auth_id, step=Step.ASK, by=by, now=now, expected_version=expected_version)
    _ask(prior_auth, questions, by, now)
    prior_auth.reviewer_id, prior_auth.leased_until = person_of(by), None
    steps.take(prior_auth, Step.ASK, by=by, now=now)
    return prior_auth


@transaction.atomic
def answer(
    *,
    prior_auth_id: PriorAuthId,
    answers: Mapping[UUID, str],
    by: Actor,
    now: datetime,
    expected_version: int | None = None,
) -> PriorAuth:
    """Answer every open question of the insurer; the request goes back to the same reviewer.

    :raises InvalidInput: when an open question stays unanswered, or an answer fits none.
    """
    prior_auth = steps.lock(prior_auth_id=prior_auth_id, by=by, expected_version=expected_version)
    steps.must_be_legal(prior_auth, Step.ANSWER, by)
    _keep_answers(prior_auth, answers, by, now)
    is_away = is_absent(prior_auth.reviewer_id, organization_id=prior_auth.insurer_id, now=now)
    # What comes back to somebody who is away goes to the queue with the next release.
    prior_auth.leased_until = now if is_away else now + LEASE
    steps.take(prior_auth, Step.ANSWER, by=by, now=now)
    return prior_auth


def _must_be_waited_for(prior_auth: PriorAuth) -> None:
    regime = regimes.version(prior_auth.regime, prior_auth.regime_version)
    track = regime.expedited if prior_auth.urgency == Urgency.EXPEDITED.value else regime.standard
    if track.missing_information in _RUNS_ON:
        raise ReturnNotAllowed("Under this request's regime the clock runs on while something is missing: ask for it.")


def _must_say_something(name: str, items: Sequence[str]) -> None:
    if not items or not all(item.strip() for item in items):
        raise InvalidInput({name: ["Name at least one item, and none that is empty."]})


def _ask(prior_auth: PriorAuth, items: Sequence[str], by: Actor, now: datetime) -> None:
    for item in items:
        InformationRequest.objects.create(prior_auth=prior_auth, question=item, asked_at=now, asked_by_id=person_of(by))


def _keep_answers(prior_auth: PriorAuth, answers: Mapping[UUID, str], by: Actor, now: datetime) -> None:
    asked = {row.public_id: row for row in prior_auth.information_requests.filter(answered_at=None)}
    _must_answer_all(set(asked), answers)
    for public_id, row in asked.items():
        row.answer, row.answered_at, row.answered_by_id = answers[public_id], now, by.person_id
        row.save(update_fields=["answer", "answered_at", "answered_by"])


def _must_answer_all(asked: set[UUID], answers: Mapping[UUID, str]) -> None:
    faults = {f"answers.{key}": ["This question is not open."] for key in answers if key not in asked}
    faults |= {f"answers.{key}": ["Answer this question."] for key in asked if not answers.get(key, "").strip()}
    if faults:
        raise InvalidInput(faults)
