"""What walks say with each step: whatever a step takes beside its subject, the actor and the time."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from authz.prior_auths.appeal_lifecycle import AppealDismissal, AppealOutcome, AppealStep
from authz.prior_auths.determination import Grant, Reason
from authz.prior_auths.lifecycle import DismissalReason, ReopeningReason, Step
from authz.prior_auths.models import Appeal, PriorAuth
from tests.cast import TODAY, Cast

REASON = Reason(code="not-necessary", text="Seven days are enough.", criterion="Policy 3.2")
GRANTS = st.fixed_dictionaries(
    {"days": st.integers(1, 12), "starts_on": st.integers(-1, 1), "ends_on": st.integers(-1, 1)},
    optional={
        "quantity": st.decimals(1, 50, places=1),
        "daily_units": st.sampled_from([Decimal(1), Decimal(4), Decimal(9)]),
        "refills": st.integers(0, 2),
    },
).map(lambda drawn: {"quantity": None, **drawn})
"""Parts, and often more than was asked; first and last day as so many days from what was asked."""


def arguments(step: Step, request: PriorAuth, cast: Cast) -> Mapping[str, Any]:
    """Return what a step takes beside the request, the actor and the time."""
    open_questions = request.information_requests.filter(answered_at=None)
    answers = {row.public_id: "Since March." for row in open_questions}
    line = request.lines.order_by("line").first()
    a_day = Grant(days=1, quantity=Decimal(1), starts_on=line.starts_on, ends_on=line.starts_on) if line else None
    note = {"reason": "So it is."}
    given: dict[Step, Mapping[str, Any]] = {
        Step.ASK_PRESCRIBER: {"question": "Please attest."},
        Step.ANSWER_PRESCRIBER: {"answers": {"pr.attest": True}},
        Step.RETURN: {"missing": ["The chart note."]},
        Step.COMPLETE: {"answers": answers},
        Step.ASK: {"questions": ["Since when?"]},
        Step.ANSWER: {"answers": answers},
        Step.ANSWER_IN_PART: {"answers": dict([*answers.items()][:1])},
        Step.ANSWER_LATE: {"answers": answers},
        Step.APPROVE_IN_PART: {"grants": {1: a_day}, "reason": REASON},
        Step.DENY: {"reason": REASON},
        Step.DISMISS: {**note, "code": DismissalReason.NOT_A_MEMBER},
        Step.REOPEN: {**note, "code": ReopeningReason.CLERICAL_ERROR},
        Step.RECORD_INDEPENDENT_REVIEW: {
            **note,
            "outcome": AppealOutcome.UPHELD,
            "decided_on": TODAY,
            "reference": "IRE-1",
        },
        Step.REASSIGN: {**note, "person_id": cast.people["rae"].public_id},
        Step.ASSIGN: {"person_id": cast.people["stella"].public_id},
        Step.TAKE_UP: {},
        Step.RECORD_EXEMPTION: {},
        Step.TAKE_BACK: {},
        Step.SUBMIT: {},
        Step.CLAIM: {},
        Step.TAKE_IN_HAND: {},
        Step.APPROVE: {},
        Step.LINK_DUPLICATE: {},
    }
    return given.get(step, note)


def appeal_arguments(step: AppealStep, appeal: Appeal) -> Mapping[str, Any]:
    """Return what a step of an appeal takes beside the appeal, the actor and the time."""
    line = appeal.prior_auth.lines.order_by("line").first()
    part = Grant(days=2, quantity=Decimal(8), starts_on=line.starts_on, ends_on=line.starts_on + timedelta(days=1))
    given: dict[AppealStep, Mapping[str, Any]] = {
        AppealStep.RECEIVE: {},
        AppealStep.TAKE_IN_HAND: {},
        AppealStep.UPHOLD: {"reason": REASON},
        AppealStep.OVERTURN_IN_PART: {"grants": {1: part}, "reason": REASON},
        AppealStep.DISMISS: {"reason": "So it is.", "code": AppealDismissal.NOT_A_PARTY},
    }
    return given.get(step, {"reason": "So it is."})
