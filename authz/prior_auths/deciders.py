"""Who could decide what: as a page asks before it offers a decision. The services hold it, and so does the database."""

from collections.abc import Collection
from datetime import datetime

from django.db import connection

from authz import clock
from authz.access.roles import DENYING, Actor, Profession
from authz.access.selectors import licence_on, superiors_of
from authz.policies.regime import Denier, Regime
from authz.prior_auths.appeals import deciders_of
from authz.prior_auths.heard import regime_of
from authz.prior_auths.models import PriorAuth

_PHYSICIAN = frozenset({Profession.PHYSICIAN})


def may_decide_against(prior_auth: PriorAuth, by: Actor, *, now: datetime) -> bool:
    """Say whether the actor holds a licence, valid today, by which its regime and policy let them decide against it."""
    return _is_licensed(prior_auth, by, denying_under(regime_of(prior_auth)), now)


def denying_under(regime: Regime) -> Collection[Profession]:
    """Return the professions that a regime lets decide against what was asked."""
    return _PHYSICIAN if regime.denied_by is Denier.PHYSICIAN else DENYING


def may_uphold(prior_auth: PriorAuth, by: Actor, *, now: datetime) -> bool:
    """Say whether the actor holds a physician's licence, valid today, by which the policy lets them uphold it."""
    return _is_licensed(prior_auth, by, _PHYSICIAN, now)


def _is_licensed(prior_auth: PriorAuth, by: Actor, professions: Collection[Profession], now: datetime) -> bool:
    on = clock.day_in(prior_auth.time_zone, at=now)
    named = prior_auth.decider_specialties
    return (
        by.person_id is not None
        and licence_on(by.person_id, professions=professions, on=on, specialties=named) is not None
    )


def has_decided_against(prior_auth: PriorAuth, *, person_id: int | None) -> bool:
    """Say whether the person decided against the request, or upheld that on appeal: then somebody else looks again."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT authz_decided_against(%s, %s)", [person_id, prior_auth.pk])
        return bool(cursor.fetchone()[0])


def may_hear_appeal(prior_auth: PriorAuth, by: Actor) -> bool:
    """Say whether neither the actor nor anybody above them determined the request at any time."""
    if by.person_id is None:
        return False
    above = superiors_of(by.person_id, organization_id=prior_auth.insurer_id)
    return deciders_of(prior_auth).isdisjoint({by.person_id, *above})
