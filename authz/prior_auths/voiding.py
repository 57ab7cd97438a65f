"""Whether a request can be voided now, which takes two people of the clinic, or one administrator of the insurer."""

from authz.access.roles import Actor, Role
from authz.prior_auths.lifecycle import Step
from authz.prior_auths.models import PriorAuth


def may_void(prior_auth: PriorAuth, by: Actor) -> bool:
    """Say whether an actor may void it now: at the clinic, somebody else proposed it for the request as it is."""
    if Role.INSURER_ADMIN in by.roles:
        return True
    # Of the version that it made: what happened since, whoever proposed it did not know.
    last = next((event for event in prior_auth.events.all() if event.sequence == prior_auth.version), None)
    if last is None or last.step != Step.PROPOSE_VOID.value or last.organization_id != by.organization:
        return False
    return by.person_id not in {None, last.person_id}
