"""What was decided on a use already, and what of it is news since."""

from collections.abc import Sequence
from typing import Final

from authz.errors import AuthzError
from authz.prior_auths.determination import ADVERSE
from authz.prior_auths.lifecycle import ACTIVE, UNANSWERED, State
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.needs import Need
from authz.prior_auths.new_fact import StatedFact

WAYS_ON: Final = ("appeal", "reopening", "new_fact")
_NOT_ANSWERED = frozenset(state.value for state in ACTIVE | UNANSWERED)
_ADVERSE = [outcome.value for outcome in ADVERSE]


class NewFactNeeded(AuthzError):
    """The same use was decided against, and nothing is known that is new.

    `context` has the `request` and the `ways` on: its appeal, its reopening, or a new fact.
    """

    code = "new-fact-needed"


def shares(request: PriorAuth, *, need: Need) -> bool:
    """Say whether a request is about records of this use."""
    return not need.record_ids.isdisjoint(request.record_ids)


def was_answered(need: Need, *, requests: Sequence[PriorAuth]) -> bool:
    """Say whether people have ended a request on this very use; a new record or a longer supply is a new fact."""
    key = need.coverage.pk if need.coverage else None
    ended = [r for r in requests if r.state not in _NOT_ANSWERED and r.coverage_id == key]
    answered = {record_id for request in ended for record_id in request.record_ids}
    days = max((request.covered_days for request in ended if shares(request, need=need)), default=0)
    return need.episode.covered_days <= days and all(not names.isdisjoint(answered) for names in need.names)


def must_be_news(need: Need, *, requests: Sequence[PriorAuth], stated: StatedFact | None) -> None:
    """Refuse to ask again for what was decided against, unless a record is newer or a new fact is stated.

    :raises NewFactNeeded: naming the request that was decided against, and the ways on.
    """
    denied = [one for one in requests if _is_denied(one, need)]
    if not denied or stated is not None or not was_answered(need, requests=denied):
        return
    raise NewFactNeeded(
        "The same was decided against, and no record is newer: appeal that decision, have it reopened, "
        "or state what is new.",
        request=str(denied[-1].public_id),
        ways=list(WAYS_ON),
    )


def _is_denied(request: PriorAuth, need: Need) -> bool:
    key = need.coverage.pk if need.coverage else None
    is_this = request.state == State.DECIDED.value and request.coverage_id == key and shares(request, need=need)
    return is_this and request.determinations.filter(superseded_by=None, outcome__in=_ADVERSE).exists()
