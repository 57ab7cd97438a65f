"""Simulations, as the insurer that asked for them may see them."""

from uuid import UUID

from django.db.models import QuerySet

from authz.access.roles import Actor
from authz.errors import NotFound
from authz.ids import PayerPolicyId
from authz.policies.selectors import payer_policy
from authz.simulations.models import Simulation


def simulations(by: Actor, policy_id: PayerPolicyId) -> QuerySet[Simulation]:
    """Return the simulations of one policy that the actor's insurer holds, newest first.

    :raises NotFound: when it holds no such policy.
    """
    policy = payer_policy(by, policy_id)
    return Simulation.objects.filter(policy=policy).select_related("policy", "asked_by").order_by("-pk")


def simulation(by: Actor, policy_id: PayerPolicyId, simulation_id: UUID) -> Simulation:
    """Return one simulation of a policy.

    :raises NotFound: when the insurer holds no such policy, or it has no such simulation.
    """
    found = simulations(by, policy_id).filter(public_id=simulation_id).first()
    if found is None:
        raise NotFound("There is no such simulation.")
    return found
