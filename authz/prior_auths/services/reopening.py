"""Look again at what was decided: the determination stands until another one supersedes it."""

from datetime import datetime

from django.db import transaction

from authz.access.roles import SYSTEM, Actor, Role
from authz.access.tenancy import across_tenants
from authz.errors import AuthzError
from authz.ids import PriorAuthId
from authz.policies.history import Kind
from authz.prescriptions.models import Patient
from authz.prior_auths import selectors
from authz.prior_auths.appeal_lifecycle import UNDECIDED as UNDECIDED_APPEAL
from authz.prior_auths.deciders import has_decided_against
from authz.prior_auths.forwarding import was_forwarded
from authz.prior_auths.lifecycle import ACTIVE, ReopeningReason, State, Step
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.same_use import others_for_same_use
from authz.prior_auths.services import steps
from authz.prior_auths.services.queue import LEASE, person_of
from authz.prior_auths.visibility import named_to, visible_to


class ReopeningTooLate(AuthzError):
    """The time in which the regime lets this decision be reopened is over."""

    code = "reopening-too-late"


class AskedAnew(AuthzError):
    """Another active request covers the same use. `context["request"]` is its id, unless it is another's."""

    code = "asked-anew"


class UnderAppeal(AuthzError):
    """The decision is under appeal; the appeal decides. `context["appeal"]` is its id."""

    code = "under-appeal"


class WithIndependentReviewer(AuthzError):
    """The file was forwarded to the independent reviewer, who decides it, or has decided it."""

    code = "with-independent-reviewer"


@transaction.atomic
def reopen(
    *,
    prior_auth_id: PriorAuthId,
    code: ReopeningReason,
    reason: str,
    by: Actor,
    now: datetime,
    expected_version: int | None = None,
) -> PriorAuth:
    """Put a decided request back into review.

    A physician who did not decide against it has it in hand; otherwise it goes to the queue for somebody else. A
    renewal that was prepared for it and that nobody has touched lapses: what is decided anew is renewed anew.

    :raises ReopeningTooLate: after the regime's limit, unless it is for fraud.
    :raises WithIndependentReviewer: once it, or an appeal of it, was forwarded.
    :raises UnderAppeal: while an appeal of the decision is open.
    :raises AskedAnew: when another active request covers the same use.
    """
    _lock_patient(prior_auth_id, by)
    prior_auth = steps.lock(prior_auth_id=prior_auth_id, by=by, expected_version=expected_version)
    steps.must_be_legal(prior_auth, Step.REOPEN, by)
    _must_be_in_time(prior_auth, code, now)
    _must_be_the_insurers_to_decide(prior_auth)
    _retract_untouched_renewals(prior_auth, now)
    _must_be_the_only_one(prior_auth, by)
    may_decide = Role.PHYSICIAN in by.roles and not has_decided_against(prior_auth, person_id=person_of(by))
    prior_auth.reviewer_id = by.person_id if may_decide else None
    prior_auth.leased_until = now + LEASE if may_decide else now
    prior_auth.decided_at, prior_auth.due_at, prior_auth.reopened_at = None, None, now
    steps.take(prior_auth, Step.REOPEN, by=by, now=now, note=reason, code=code.value)
    return prior_auth


def _lock_patient(prior_auth_id: PriorAuthId, by: Actor) -> None:
    """Let nobody open another request for the same use meanwhile: whoever does locks the patient first."""
    known = PriorAuth.objects.filter(visible_to(by), public_id=prior_auth_id)
    patients = list(known.values_list("patient", flat=True))
    with across_tenants("whoever asks for the use anew locks the patient as well"):
        list(Patient.objects.select_for_update(no_key=True).filter(pk__in=patients))


def _must_be_in_time(prior_auth: PriorAuth, code: ReopeningReason, now: datetime) -> None:
    clock = selectors.clocks_of(prior_auth).get(Kind.REOPEN_BY)
    if code is not ReopeningReason.FRAUD and clock is not None and clock.is_missed(by=now):
        raise ReopeningTooLate("The regime's time to reopen this decision is over; only fraud reopens it now.")


@across_tenants("the same use may be asked for anew at any clinic")
def _must_be_the_only_one(prior_auth: PriorAuth, by: Actor) -> None:
    same = others_for_same_use(prior_auth, states=ACTIVE).first()
    if same is not None:
        raise AskedAnew(
            "Another request for this use is active; decide that one first. "
            "While a clinic still works on it, ask them to submit or to withdraw it.",
            **named_to(by, same),
        )


@across_tenants("the insurer has nothing of a renewal before it is submitted")
def _retract_untouched_renewals(prior_auth: PriorAuth, now: datetime) -> None:
    drafts = PriorAuth.objects.filter(renews__prior_auth=prior_auth, state=State.DRAFT.value)
    for renewal in drafts.filter(touched_by_human_at=None).select_for_update(of=("self",)).order_by("pk"):
        steps.take(renewal, Step.RETRACT, by=SYSTEM, now=now, note="What it would renew is looked at again.")


def _must_be_the_insurers_to_decide(prior_auth: PriorAuth) -> None:
    if was_forwarded(prior_auth):
        raise WithIndependentReviewer("The file went to the independent reviewer, whose decision it is.")
    appeal = prior_auth.appeals.filter(state__in=[state.value for state in UNDECIDED_APPEAL]).first()
    if appeal is not None:
        raise UnderAppeal("The decision is under appeal; the appeal decides.", appeal=str(appeal.public_id))
