"""File an appeal, receive it, take it in hand, and end it without a decision."""

from collections.abc import Iterable
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import transaction

from authz.access.roles import SYSTEM, Actor
from authz.access.tenancy import across_tenants
from authz.errors import AuthzError, Forbidden
from authz.ids import AppealId, PriorAuthId
from authz.policies.history import Happened, Kind
from authz.policies.regime import IfMissed, NextLevel
from authz.prior_auths import appeals, selectors
from authz.prior_auths.appeal_lifecycle import (
    TABLE,
    UNDECIDED,
    UNHEARD,
    AppealDismissal,
    AppealOutcome,
    AppealState,
    AppealStep,
)
from authz.prior_auths.deadlines import Clock, Urgency
from authz.prior_auths.determination import ADVERSE, Basis, Outcome
from authz.prior_auths.forwarding import unforwarded, was_forwarded
from authz.prior_auths.lifecycle import State, Step
from authz.prior_auths.models import Appeal, Determination, PriorAuth
from authz.prior_auths.services import appeal_steps, steps
from authz.prior_auths.services.queue import LEASE
from authz.prior_auths.visibility import roles_in_case

_UNHEARD = [state.value for state in UNHEARD]
_UNDECIDED = [state.value for state in UNDECIDED]


class NothingToAppeal(AuthzError):
    """No adverse decision of the insurer is in force on this request, or it is with the independent reviewer."""

    code = "nothing-to-appeal"


class AlreadyAppealed(AuthzError):
    """This decision is appealed, or was made on appeal. `context["appeal"]` is the appeal's id."""

    code = "already-appealed"


class AppealTooLate(AuthzError):
    """The last day to appeal is over, and no good cause was stated.

    `context` has `last_day`, in the plan's time zone, `why` in words and the `citation`.
    """

    code = "appeal-too-late"


class AppealNotForwarded(AuthzError):
    """Only what was upheld, or not decided in time, goes to the independent reviewer, where the regime has one."""

    code = "appeal-not-forwarded"


@transaction.atomic
def file(
    *,
    prior_auth_id: PriorAuthId,
    urgency: Urgency,
    reason: str,
    notices: Iterable[Happened],
    by: Actor,
    now: datetime,
    good_cause: str = "",
) -> Appeal:
    """Appeal the adverse decision in force on a request, for the patient; the time to decide it runs from now.

    `notices` is when notice of the decision was sent and delivered, which this room does not know. `good_cause` is why
    it comes after the last day: it is then accepted and marked, for the insurer to judge.

    :raises NotFound: when the clinic has no such request.
    :raises Forbidden: when the actor's role does not file appeals.
    :raises NothingToAppeal: without an adverse decision in force, or once it is with the independent reviewer.
    :raises AlreadyAppealed: when it is appealed already, or was itself made on appeal.
    :raises AppealTooLate: after the last day, without good cause.
    """
    prior_auth = steps.lock(prior_auth_id=prior_auth_id, by=by)
    if not TABLE[AppealStep.FILE].is_open_to(roles_in_case(prior_auth, by), state=None):
        raise Forbidden("Your role does not allow you to file an appeal.")
    determination = _appealable(prior_auth)
    clock = selectors.clocks_of(prior_auth, notices=notices).get(Kind.APPEAL_FILE_BY)
    last = clock.due_at if clock else None
    was_late = last is not None and last < now
    if clock and last and was_late and not good_cause:
        raise _too_late(clock, last.astimezone(ZoneInfo(prior_auth.time_zone)).date())
    appeal = Appeal(
        prior_auth=prior_auth,
        determination=determination,
        state=AppealState.FILED.value,
        urgency=urgency.value,
        reason=reason,
        good_cause=good_cause,
        was_late=was_late,
        filed_at=now,
    )
    appeal_steps.record(appeal, AppealStep.FILE, from_state="", by=by, now=now)
    return appeal


def _appealable(prior_auth: PriorAuth) -> Determination:
    determination = appeals.in_force(prior_auth) if prior_auth.state == State.DECIDED.value else None
    if determination is None or Outcome(determination.outcome) not in ADVERSE:
        raise NothingToAppeal("There is no adverse decision in force on this request.")
    if determination.basis == Basis.EXTERNAL.value:
        raise NothingToAppeal("The independent reviewer decided this request; what comes next, their letter says.")
    if prior_auth.events.filter(step=Step.FORWARD.value, at__gte=determination.decided_at).exists():
        raise NothingToAppeal("The request is with the independent reviewer already.")
    made_on_appeal = Appeal.objects.filter(decision__determination=determination).first()
    earlier = made_on_appeal or determination.appeals.exclude(state__in=_UNHEARD).first()
    if earlier is not None:
        raise AlreadyAppealed(
            "This decision is under appeal or was decided on appeal; the appeal says what comes next.",
            appeal=str(earlier.public_id),
        )
    return determination


def _too_late(clock: Clock, last_day: date) -> AppealTooLate:
    return AppealTooLate(
        f"The last day to appeal was {last_day} ({clock.citation}). State good cause to file it nevertheless.",
        last_day=last_day.isoformat(),
        why=clock.why,
        citation=clock.citation,
    )


@transaction.atomic
def receive(*, appeal_id: AppealId, by: Actor, now: datetime, expected_version: int | None = None) -> Appeal:
    """Acknowledge an appeal to the clinic, and offer it to the appeal reviewers. Its time has been running."""
    appeal = appeal_steps.lock(appeal_id=appeal_id, by=by, expected_version=expected_version)
    appeal_steps.take(appeal, AppealStep.RECEIVE, by=by, now=now)
    return appeal


@transaction.atomic
def take_in_hand(*, appeal_id: AppealId, by: Actor, now: datetime, expected_version: int | None = None) -> Appeal:
    """Lease an appeal to this reviewer for half an hour; taken again by the same one, for another.

    :raises AnotherDeciderNeeded: when the actor, or somebody above them, determined the request at any time.
    :raises LeaseHeldByAnother: while another reviewer has it.
    :raises ConflictOfInterest: when it concerns the actor's own clinic or prescriptions.
    """
    step = AppealStep.TAKE_IN_HAND
    appeal = appeal_steps.in_hand(appeal_id=appeal_id, step=step, by=by, now=now, expected_version=expected_version)
    appeal.reviewer_id, appeal.leased_until = by.person_id, now + LEASE
    appeal_steps.take(appeal, step, by=by, now=now)
    return appeal


@transaction.atomic
def release(
    *, appeal_id: AppealId, reason: str, by: Actor, now: datetime, expected_version: int | None = None
) -> Appeal:
    """Put an appeal back for another reviewer.

    :raises LeaseHeldByAnother: while another reviewer has it.
    """
    step = AppealStep.RELEASE
    appeal = appeal_steps.in_hand(appeal_id=appeal_id, step=step, by=by, now=now, expected_version=expected_version)
    return _end(appeal, step, reason, by, now)


@transaction.atomic
def withdraw(
    *, appeal_id: AppealId, reason: str, by: Actor, now: datetime, expected_version: int | None = None
) -> Appeal:
    """End an appeal because the clinic no longer pursues it; the decision stands."""
    appeal = appeal_steps.lock(appeal_id=appeal_id, by=by, expected_version=expected_version)
    return _end(appeal, AppealStep.WITHDRAW, reason, by, now)


@transaction.atomic
def dismiss(
    *,
    appeal_id: AppealId,
    code: AppealDismissal,
    reason: str,
    by: Actor,
    now: datetime,
    expected_version: int | None = None,
) -> Appeal:
    """End what is no valid appeal; nothing is decided by that."""
    appeal = appeal_steps.lock(appeal_id=appeal_id, by=by, expected_version=expected_version)
    return _end(appeal, AppealStep.DISMISS, reason, by, now, code=code.value)


@transaction.atomic
def forward(
    *, appeal_id: AppealId, reason: str, by: Actor, now: datetime, expected_version: int | None = None
) -> Appeal:
    """Note that the file is with the independent reviewer; `reason` holds their reference.

    :raises AppealNotForwarded: when the regime has none, or the appeal was neither decided against nor missed.
    """
    appeal = appeal_steps.lock(appeal_id=appeal_id, by=by, expected_version=expected_version)
    appeal_steps.must_be_legal(appeal, AppealStep.FORWARD, by)
    if not _goes_on(appeal, now):
        raise AppealNotForwarded(
            "Only what was upheld, or not decided in time, goes to the independent reviewer, where the regime has one: "
            "once, and while it is in force."
        )
    is_by_law = unforwarded().filter(prior_auth=appeal.prior_auth).exists()
    ended = _end(appeal, AppealStep.FORWARD, reason, by, now)
    if is_by_law:  # the file goes once
        steps.take(appeal.prior_auth, Step.FORWARD, by=by, now=now, note=reason)
    return ended


def _goes_on(appeal: Appeal, now: datetime) -> bool:
    if not _is_in_force(appeal):
        return False
    onward = appeals.onward(appeal.prior_auth)
    if onward is None or onward.level is not NextLevel.INDEPENDENT_REVIEWER:
        return False
    if appeal.state == AppealState.DECIDED.value:
        return appeal.decision.outcome != AppealOutcome.OVERTURNED.value
    clock = appeals.decide_by(appeal)
    return clock is not None and clock.if_missed is IfMissed.DEEMED_ADVERSE and clock.is_missed(by=now)


def _is_in_force(appeal: Appeal) -> bool:
    """Say whether what the appeal let stand, or decided, is the request's decision, and is with nobody else yet."""
    prior_auth = appeal.prior_auth
    if prior_auth.state != State.DECIDED.value or was_forwarded(prior_auth):
        return False
    decision = appeal.decision if appeal.state == AppealState.DECIDED.value else None
    return appeals.in_force(prior_auth) == ((decision and decision.determination) or appeal.determination)


@across_tenants("the service itself ends what is left of a voided request")
def dismiss_of_voided(prior_auth: PriorAuth, *, now: datetime) -> None:
    """End the open appeals of a locked request that is voided: nothing is left to appeal."""
    code = AppealDismissal.REQUEST_VOIDED.value
    _end_open(prior_auth, AppealStep.DISMISS, "The request was voided.", SYSTEM, now, code=code)


def forward_with_request(prior_auth: PriorAuth, *, reason: str, by: Actor, now: datetime) -> None:
    """Let the open appeals of a locked request go with it to the independent reviewer, who alone decides then."""
    _end_open(prior_auth, AppealStep.FORWARD, reason, by, now)


def _end_open(
    prior_auth: PriorAuth, step: AppealStep, reason: str, by: Actor, now: datetime, *, code: str = ""
) -> None:
    for appeal in prior_auth.appeals.select_for_update().filter(state__in=_UNDECIDED).order_by("pk"):
        appeal.prior_auth = prior_auth
        _end(appeal, step, reason, by, now, code=code)


def _end(appeal: Appeal, step: AppealStep, reason: str, by: Actor, now: datetime, *, code: str = "") -> Appeal:
    appeal.reviewer = appeal.leased_until = None
    appeal_steps.take(appeal, step, by=by, now=now, note=reason, code=code)
    return appeal
