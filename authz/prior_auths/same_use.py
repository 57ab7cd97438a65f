"""Which requests are about the same use: under the same coverage, and of orders or fills that both name."""

from collections.abc import Collection

from django.db.models import QuerySet

from authz.prior_auths.determination import ADVERSE
from authz.prior_auths.lifecycle import STANDING, State
from authz.prior_auths.models import Determination, PriorAuth


def serves_the_same(one: PriorAuth, other: PriorAuth) -> bool:
    """Say whether two requests of a patient are about the same use."""
    return one.coverage_id == other.coverage_id and not set(one.record_ids).isdisjoint(other.record_ids)


def others_for_same_use(prior_auth: PriorAuth, *, states: Collection[State]) -> QuerySet[PriorAuth]:
    """Return the patient's other requests about the same use that are in one of these states."""
    others = PriorAuth.objects.filter(patient=prior_auth.patient_id).exclude(pk=prior_auth.pk)
    same = others.filter(coverage=prior_auth.coverage_id, record_ids__overlap=prior_auth.record_ids)
    return same.filter(state__in=[state.value for state in states])


def survivors_for(prior_auth: PriorAuth) -> QuerySet[PriorAuth]:
    """Return the requests in favor of which this one can be closed: those about the same use that stand.

    Not what was decided against it: closed for that, a request would be denied by somebody who denies nothing.
    """
    adverse = Determination.objects.filter(superseded_by=None, outcome__in=[outcome.value for outcome in ADVERSE])
    others = others_for_same_use(prior_auth, states=STANDING)
    return others.exclude(state=State.DECIDED.value, determinations__in=adverse)
