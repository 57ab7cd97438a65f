"""What of all deeds is offered to a reader now: what the tables and the regime allow them, and nobody else holds."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from authz.access.roles import Actor, Role
from authz.ids import PriorAuthId
from authz.policies.regime import NextLevel
from authz.prior_auths import appeals, calls, selectors
from authz.prior_auths.appeal_lifecycle import UPHOLDING, AppealStep
from authz.prior_auths.call_lifecycle import OPEN, CallState
from authz.prior_auths.deciders import has_decided_against, may_decide_against, may_hear_appeal, may_uphold
from authz.prior_auths.forwarding import is_with_independent_reviewer
from authz.prior_auths.lifecycle import AGAINST, State, Step, is_allowed
from authz.prior_auths.models import Appeal, Call, PriorAuth
from authz.prior_auths.named_specialties import who_decides_against
from authz.web.deeds import APPEAL_STEPS, CALL_STEPS, Deed, of_appeal, of_call, of_request, to_offer_call, to_skip
from authz.web.step_forms import STEPS

DECISIONS: Final = (Step.APPROVE, Step.APPROVE_IN_PART, Step.ASK, Step.REFER, Step.DENY)
"""What stands first at the desk, in this order."""
_TAKES: Final = (Step.CLAIM, Step.TAKE_IN_HAND)
# Who takes a request in hand does it to decide.
_DECIDES: Final = AGAINST | {Step.APPROVE, *_TAKES}
_IN_HAND: Final = _DECIDES | {
    Step.RELEASE, Step.REASSIGN, Step.ASK, Step.REFER, Step.REFUSE_EXPEDITED, Step.EXTEND, Step.GIVE_BACK,
}  # fmt: skip
_HEARS: Final = frozenset(
    {AppealStep.TAKE_IN_HAND, AppealStep.RELEASE, AppealStep.UPHOLD, AppealStep.OVERTURN, AppealStep.OVERTURN_IN_PART}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """What is offered: how to take the case in hand, the decisions, what comes after one, and everything else.

    `note` says why a decision is missing that the reader may look for; empty when none is.
    """

    take: Deed | None
    decisions: list[Deed]
    after: list[Deed]
    others: list[Deed]
    note: str

    @property
    def all(self) -> list[Deed]:
        """Everything, in the order of the page."""
        return [*([self.take] if self.take else []), *self.decisions, *self.after, *self.others]


def is_held_by_another(row: PriorAuth | Appeal, by: Actor, *, now: datetime) -> bool:
    """Say whether somebody else has it in hand now."""
    return row.leased_until is not None and row.leased_until > now and row.reviewer_id != by.person_id


def is_held_by(row: PriorAuth | Appeal, by: Actor, *, now: datetime) -> bool:
    """Say whether the actor has it in hand now."""
    return row.leased_until is not None and row.leased_until > now and row.reviewer_id == by.person_id


def offered(prior_auth: PriorAuth, by: Actor, *, now: datetime) -> Offered:
    """Return what this reader can do with a case now."""
    steps = [step for step in selectors.allowed_steps(prior_auth, by) if step in STEPS]
    is_free, is_mine = not is_held_by_another(prior_auth, by, now=now), is_held_by(prior_auth, by, now=now)
    has_before = has_decided_against(prior_auth, person_id=by.person_id)
    is_licensed = may_decide_against(prior_auth, by, now=now)
    open_to = [
        step
        for step in steps
        if (is_free or step not in _IN_HAND or (step is Step.REASSIGN and Role.INSURER_ADMIN in by.roles))
        and not (has_before and step in _DECIDES)
        and (is_mine or step is not Step.GIVE_BACK)
        and (is_licensed or step not in AGAINST)
        and (step is not Step.RECORD_INDEPENDENT_REVIEW or is_with_independent_reviewer(prior_auth))
    ]
    take = next((step for step in _TAKES if step in open_to and not is_mine), None)
    others = [of_request(prior_auth, step) for step in open_to if step not in (*DECISIONS, *_TAKES)]
    may_skip = bool({*_TAKES, Step.RELEASE} & {*open_to})
    return Offered(
        take=of_request(prior_auth, take) if take else None,
        decisions=[of_request(prior_auth, step) for step in DECISIONS if step in open_to],
        after=[*_of_appeals(prior_auth, by, now), *_of_calls(prior_auth, by)],
        others=[*([to_skip(prior_auth)] if may_skip else []), *others],
        note=_note(prior_auth, by, steps, has_before=has_before, is_licensed=is_licensed),
    )


def _note(prior_auth: PriorAuth, by: Actor, steps: list[Step], *, has_before: bool, is_licensed: bool) -> str:
    if has_before and not _DECIDES.isdisjoint(steps):
        return "You decided against this request before; somebody else must look at it again."
    if Step.DENY not in steps and is_allowed(Step.DENY, state=State(prior_auth.state), roles=by.roles):
        return who_decides_against(prior_auth)
    if not is_licensed and not AGAINST.isdisjoint(steps):
        return "Deciding against it takes a licence that is valid today, and none of yours is."
    return ""


def _of_appeals(prior_auth: PriorAuth, by: Actor, now: datetime) -> Iterator[Deed]:
    onward = appeals.onward(prior_auth)
    hears, upholds = may_hear_appeal(prior_auth, by), may_uphold(prior_auth, by, now=now)
    for appeal in appeals.appeals_of(by, PriorAuthId(prior_auth.public_id)):
        is_free = not is_held_by_another(appeal, by, now=now)
        for step in appeals.allowed_steps(appeal, by):
            is_open = (
                (step not in _HEARS or (hears and is_free))
                and (upholds or step not in UPHOLDING)
                and not (step is AppealStep.TAKE_IN_HAND and is_held_by(appeal, by, now=now))
                and (step is not AppealStep.FORWARD or (onward and onward.level is NextLevel.INDEPENDENT_REVIEWER))
            )
            if step in APPEAL_STEPS and is_open:
                yield of_appeal(appeal, step)


def _of_calls(prior_auth: PriorAuth, by: Actor) -> Iterator[Deed]:
    rows: list[Call] = list(calls.calls_of(by, PriorAuthId(prior_auth.public_id)))
    for call in rows:
        yield from (of_call(call, step) for step in calls.allowed_steps(call, by) if step in CALL_STEPS)
    is_open = any(CallState(call.state) in OPEN for call in rows)
    reviews = not by.roles.isdisjoint({Role.REVIEWER, Role.PHYSICIAN})
    if reviews and not is_open and calls.can_be_talked_about(prior_auth):
        yield to_offer_call(prior_auth)
