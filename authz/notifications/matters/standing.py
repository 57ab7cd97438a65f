"""By which fact an act is no longer needed: one condition a topic, asked of the request as it is now."""

from collections.abc import Collection, Mapping
from functools import reduce
from operator import or_
from typing import Final

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from authz.notifications.decisions_told import decisions_told
from authz.notifications.matters.models import Matter
from authz.notifications.models import Delivery
from authz.policies.history import Kind
from authz.prior_auths.appeal_lifecycle import UNDECIDED as UNDECIDED_APPEALS
from authz.prior_auths.appeal_lifecycle import UNHEARD, AppealState
from authz.prior_auths.call_lifecycle import CallState
from authz.prior_auths.forwarding import unforwarded
from authz.prior_auths.lifecycle import ACTIVE, UNDECIDED, State
from authz.prior_auths.models import Appeal, Breach, Call


def _in(*states: State) -> Q:
    return Q(prior_auth__state__in=sorted(state.value for state in states))


def _has_appeal(states: Collection[AppealState]) -> Q:
    return Q(Exists(Appeal.objects.filter(prior_auth=OuterRef("prior_auth"), state__in=sorted(states))))


def _has_missed(kind: Kind) -> Q:
    return Q(Exists(Breach.objects.filter(prior_auth=OuterRef("prior_auth"), appeal=None, kind=kind.value)))


def _has_call(state: CallState) -> Q:
    return Q(Exists(Call.objects.filter(prior_auth=OuterRef("prior_auth"), state=state.value)))


_UNTIL_ACKNOWLEDGED: Final = Q()
# What is appealed, reopened or voided has been seen; what the independent reviewer decided is appealed no more.
_DECIDED_AGAINST: Final = (
    _in(State.DECIDED) & ~_has_appeal(frozenset(AppealState) - UNHEARD) & Q(prior_auth__independent_review__isnull=True)
)
_APPEAL_STANDS: Final = _has_appeal({AppealState.DECIDED}) & Q(prior_auth__independent_review__isnull=True)
# What is adverse by law asks two things, until its file is forwarded: its clinic may appeal, its insurer forwards it.
_OF_CLINIC: Final = Q(organization=F("prior_auth__clinic"))
_UNFORWARDED: Final = _in(State.DECIDED) & Q(Exists(unforwarded().filter(prior_auth=OuterRef("prior_auth"))))
# In an insurer's own name nothing is seen of what the clinic was told: workers close what no longer stands.
_UNTOLD: Final = _in(State.DECIDED) & ~Q(
    Exists(decisions_told(OuterRef("prior_auth__public_id"), OuterRef("prior_auth__clinic")))
)

STANDS_WHILE: Final[Mapping[str, Q]] = {
    "prior-auth.opened": _in(State.DETECTED, State.DRAFT),
    "prior-auth.renewal-opened": _in(State.DRAFT),
    "prior-auth.need-in-doubt": _in(*ACTIVE) & Q(prior_auth__need_in_doubt_at__isnull=False),
    "prior-auth.prescriber-asked": _in(State.AWAITING_PRESCRIBER),
    "prior-auth.prescriber-answered": _in(State.DRAFT),
    "prior-auth.submitted": _in(State.QUEUED),
    "prior-auth.information-requested": _in(State.INFO_REQUESTED),
    "prior-auth.answered": _in(State.IN_REVIEW),
    "prior-auth.unanswered": _in(State.IN_REVIEW),
    "prior-auth.expedited": _in(*UNDECIDED),
    "prior-auth.referred": _in(State.CLINICAL_REVIEW),
    "prior-auth.approved-in-part": _DECIDED_AGAINST,
    "prior-auth.denied": _DECIDED_AGAINST,
    "prior-auth.deemed-adverse": _UNFORWARDED & (~_OF_CLINIC | _DECIDED_AGAINST),
    "prior-auth.reassigned": _in(State.IN_REVIEW, State.CLINICAL_REVIEW),
    "prior-auth.running-out": _in(*ACTIVE),
    "prior-auth.overdue": _in(*UNDECIDED)
    | _has_appeal(UNDECIDED_APPEALS)
    | (_has_missed(Kind.FORWARD_BY) & _UNFORWARDED)
    | (_has_missed(Kind.NOTIFY_BY) & _UNTOLD),
    "prior-auth.second-reading-disagreed": _in(State.DECIDED),
    "prior-auth.returned": _in(State.INCOMPLETE),
    "prior-auth.completed": _in(State.QUEUED),
    "prior-auth.dismissed": _UNTIL_ACKNOWLEDGED,
    "prior-auth.duplicate-suspected": _in(*ACTIVE) & Q(prior_auth__duplicate_of__isnull=False),
    "prior-auth.reopened": _in(State.QUEUED, State.IN_REVIEW, State.CLINICAL_REVIEW),
    "appeal.filed": _has_appeal({AppealState.FILED}),
    "appeal.received": _has_appeal({AppealState.RECEIVED}),
    "appeal.upheld": _APPEAL_STANDS,
    "appeal.overturned-in-part": _APPEAL_STANDS,
    "appeal.dismissed": _UNTIL_ACKNOWLEDGED,
    "peer-to-peer.offered": _has_call(CallState.OFFERED),
    "peer-to-peer.times-offered": _has_call(CallState.OFFERED),
    "peer-to-peer.times-proposed": _has_call(CallState.PROPOSED),
}
"""While the condition holds, the request needs the act that the topic asks for."""

_STANDS: Final = reduce(or_, (Q(topic=topic) & condition for topic, condition in STANDS_WHILE.items()))


def standing() -> QuerySet[Matter]:
    """Return the matters that are open: nobody took them in hand, and their requests still need the act."""
    return Matter.objects.filter(_STANDS, closed_at=None)


def stands(matter: Matter) -> bool:
    """Say whether a matter is open now."""
    return standing().filter(pk=matter.pk).exists()


def is_over(delivery: Delivery) -> bool:
    """Say whether what a delivery asks for has been done, or taken in hand, since it was written down."""
    return delivery.matter_id is not None and not standing().filter(pk=delivery.matter_id).exists()
