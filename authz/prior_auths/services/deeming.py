"""What follows when the insurer lets its time run out: a breach, noted once, and what the law then says by itself."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef

from authz.access.roles import SYSTEM, Actor
from authz.errors import AuthzError
from authz.ids import PriorAuthId
from authz.policies.history import Kind
from authz.prior_auths import selectors
from authz.prior_auths.deadlines import Clock
from authz.prior_auths.determination import DEEMED, Basis, Outcome, Reason
from authz.prior_auths.forwarding import unforwarded
from authz.prior_auths.lifecycle import UNDECIDED, Step
from authz.prior_auths.models import Breach, PriorAuth
from authz.prior_auths.services import steps
from authz.prior_auths.services.appealing import forward_with_request
from authz.prior_auths.services.breaches import note_breach
from authz.prior_auths.services.deciding import Decision, as_asked, write_determination
from authz.prior_auths.services.sweeping import sweep

_UNDECIDED = frozenset(state.value for state in UNDECIDED)

_STEPS: Final[Mapping[Outcome, Step]] = {
    Outcome.DEEMED_APPROVED: Step.DEEM_APPROVED,
    Outcome.DEEMED_ADVERSE: Step.DEEM_ADVERSE,
}


class NothingToForward(AuthzError):
    """Only what became adverse by law is forwarded to the independent reviewer, and once."""

    code = "nothing-to-forward"


def deem_due(*, now: datetime) -> int:
    """Look at every undecided request whose time is over, and return how many the law has decided.

    The kept due instant only finds them; each is computed anew once its row is locked. Whoever decides holds that lock
    until the decision is committed, so a determination made in time is seen here, and nothing is deemed over it.
    """
    over = PriorAuth.objects.filter(state__in=_UNDECIDED, due_at__lt=now, reopened_at=None)
    unnoted = over.exclude(breaches__kind=Kind.DECIDE_BY.value).order_by("due_at")
    return sweep(unnoted.values_list("pk", flat=True), work=_deem_one, now=now)


@transaction.atomic
def _deem_one(key: int, now: datetime) -> int:
    prior_auth = PriorAuth.objects.select_for_update().get(pk=key)
    clock = selectors.decide_by(prior_auth)
    if clock is None or clock.due_at is None or not clock.is_missed(by=now):
        return 0
    note_breach(prior_auth=prior_auth, kind=clock.kind, due_at=clock.due_at, now=now)
    outcome = DEEMED.get(clock.if_missed) if clock.if_missed else None
    if outcome is None:
        return 0
    # The database holds it against the kept one, which may have been computed before.
    if prior_auth.due_at != clock.due_at:
        prior_auth.due_at = clock.due_at
        prior_auth.save(update_fields=["due_at"])
    write_determination(prior_auth=prior_auth, decision=_decision(prior_auth, outcome, clock), now=now)
    prior_auth.reviewer = None
    steps.take(prior_auth, _STEPS[outcome], by=SYSTEM, now=now)
    return 1


def _decision(prior_auth: PriorAuth, outcome: Outcome, clock: Clock) -> Decision:
    grants = {line.line: as_asked(line) for line in prior_auth.lines.all()}
    return Decision(
        outcome=outcome,
        basis=Basis.LAW,
        reason=Reason(code="time-ran-out", text="The insurer did not decide in time.", criterion=clock.citation[:500]),
        grants=grants if outcome is Outcome.DEEMED_APPROVED else {},
    )


@transaction.atomic
def forward(
    *, prior_auth_id: PriorAuthId, reason: str, by: Actor, now: datetime, expected_version: int | None = None
) -> PriorAuth:
    """Note that the file is with the independent reviewer, and any open appeal; `reason` holds their reference.

    :raises NothingToForward: when it did not become adverse by law, or was forwarded before.
    """
    prior_auth = steps.lock(prior_auth_id=prior_auth_id, by=by, expected_version=expected_version)
    steps.must_be_legal(prior_auth, Step.FORWARD, by)
    if not unforwarded().filter(prior_auth=prior_auth).exists():
        raise NothingToForward("Only what became adverse by law is forwarded to the independent reviewer, and once.")
    steps.take(prior_auth, Step.FORWARD, by=by, now=now, note=reason)
    forward_with_request(prior_auth, reason=reason, by=by, now=now)
    return prior_auth


def note_unforwarded(*, now: datetime) -> int:
    """Note a breach for each request that should be with the independent reviewer by now; return how many are new."""
    own = Breach.objects.filter(prior_auth=OuterRef("prior_auth"), appeal=None, kind=Kind.FORWARD_BY.value)
    waiting = unforwarded().exclude(Exists(own))
    return sweep(waiting.values_list("prior_auth_id", flat=True), work=_note_one, now=now)


@transaction.atomic
def _note_one(key: int, now: datetime) -> int:
    prior_auth = PriorAuth.objects.select_for_update().get(pk=key)
    clock = selectors.clocks_of(prior_auth).get(Kind.FORWARD_BY)
    if clock is None or clock.due_at is None or not clock.is_missed(by=now):
        return 0
    return int(note_breach(prior_auth=prior_auth, kind=clock.kind, due_at=clock.due_at, now=now))
