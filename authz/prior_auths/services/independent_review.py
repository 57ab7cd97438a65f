"""Record what the independent reviewer decided on a request that the insurer forwarded, itself or on appeal."""

from collections.abc import Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import Final

from django.db import transaction

from authz import clock
from authz.access.roles import Actor
from authz.errors import AuthzError, InvalidInput
from authz.ids import PriorAuthId
from authz.prior_auths import appeals
from authz.prior_auths.appeal_lifecycle import AppealOutcome
from authz.prior_auths.determination import Basis, Grant, Outcome, Reason
from authz.prior_auths.forwarding import forwarded_at, is_with_independent_reviewer
from authz.prior_auths.lifecycle import Step
from authz.prior_auths.models import Determination, IndependentReview, PriorAuth
from authz.prior_auths.services import steps
from authz.prior_auths.services.deciding import Decision, as_asked, write_determination
from authz.prior_auths.services.grounds import must_be_a_part, must_be_more

_SUPERSEDES: Final[Mapping[AppealOutcome, Outcome]] = {
    AppealOutcome.OVERTURNED: Outcome.APPROVED,
    AppealOutcome.PARTLY_OVERTURNED: Outcome.PARTIALLY_APPROVED,
}


class NotWithIndependentReviewer(AuthzError):
    """Only what was forwarded to the independent reviewer is decided there, and once."""

    code = "not-with-independent-reviewer"


@transaction.atomic
def record_independent_review(
    *,
    prior_auth_id: PriorAuthId,
    outcome: AppealOutcome,
    decided_on: date,
    reference: str,
    reason: str,
    grants: Mapping[int, Grant] = MappingProxyType({}),
    by: Actor,
    now: datetime,
    expected_version: int | None = None,
) -> PriorAuth:
    """Record the independent reviewer's decision; overturned, wholly or in part, authorizations open as on an appeal.

    `decided_on` is a day in the request's calendar, `reference` the reviewer's own, and `reason` what they said.
    `grants`, by line number, say what a decision that was partly overturned grants.

    :raises NotWithIndependentReviewer: when neither it nor an appeal of it was forwarded, or it is recorded already.
    :raises InvalidInput: when it was decided before it was forwarded or after today, or `grants` do not fit.
    """
    step = Step.RECORD_INDEPENDENT_REVIEW
    prior_auth = steps.lock(prior_auth_id=prior_auth_id, by=by, expected_version=expected_version)
    steps.must_be_legal(prior_auth, step, by)
    if not is_with_independent_reviewer(prior_auth):
        raise NotWithIndependentReviewer("Only what was forwarded to the independent reviewer is decided there, once.")
    _must_be_since_it_was_forwarded(prior_auth, decided_on, now)
    said = Reason(code="independent-review", text=reason, criterion=f"Independent review, reference {reference}")
    IndependentReview.objects.create(
        prior_auth=prior_auth,
        outcome=outcome.value,
        decided_on=decided_on,
        reference=reference,
        reason=reason,
        determination=_supersede(prior_auth, outcome, grants, said, now),
        recorded_at=now,
    )
    steps.take(prior_auth, step, by=by, now=now, note=reason, code=outcome.value)
    return prior_auth


def _supersede(
    prior_auth: PriorAuth, outcome: AppealOutcome, grants: Mapping[int, Grant], said: Reason, now: datetime
) -> Determination | None:
    if outcome is AppealOutcome.PARTLY_OVERTURNED:
        must_be_a_part(grants, lines=prior_auth.lines.order_by("line"))
        if before := appeals.in_force(prior_auth):
            must_be_more(grants, than=before)
    elif grants:
        raise InvalidInput({"grants": ["Only a decision that is partly overturned says what is granted."]})
    if outcome is AppealOutcome.UPHELD:
        return None
    everything = {line.line: as_asked(line) for line in prior_auth.lines.all()}
    decision = Decision(
        outcome=_SUPERSEDES[outcome], basis=Basis.EXTERNAL, reason=said, grants=grants or everything, is_on_appeal=True
    )
    return write_determination(prior_auth=prior_auth, decision=decision, now=now)


def _must_be_since_it_was_forwarded(prior_auth: PriorAuth, decided_on: date, now: datetime) -> None:
    first, last = (clock.day_in(prior_auth.time_zone, at=at) for at in (forwarded_at(prior_auth), now))
    if not first <= decided_on <= last:
        raise InvalidInput({"decided_on": [f"Give a day from {first}, when it was forwarded, to {last}, today."]})
