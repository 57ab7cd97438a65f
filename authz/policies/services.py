"""Insurers' plans: every write."""

from authz.access.models import Organization
from authz.policies import catalog
from authz.policies.models import Plan


def create_plan(
    *,
    insurer: Organization,
    code: str,
    name: str,
    policy: str = "default",
    regime: str = "generic",
    time_zone: str = "America/New_York",
) -> Plan:
    """Create a plan of an insurer under a policy and a regime of the catalog.

    :raises UnknownPolicy: when the catalog has no such policy or regime.
    """
    catalog.policy(policy)
    catalog.regime(regime)
    return Plan.objects.create(insurer=insurer, code=code, name=name, policy=policy, regime=regime, time_zone=time_zone)
