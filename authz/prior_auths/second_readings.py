"""Approvals by rule that were chosen to be read by a person, as they are read."""

from django.db.models import QuerySet

from authz.access.roles import Action, Actor, must_be_allowed
from authz.prior_auths.models import Determination


def sampled(by: Actor) -> QuerySet[Determination]:
    """Return the approvals of the actor's insurer that were chosen to be read, the oldest first.

    :raises Forbidden: when the actor is of no insurer.
    """
    must_be_allowed(by, Action.READ_QUEUE)
    chosen = Determination.objects.filter(prior_auth__insurer_id=by.organization, is_sampled=True)
    return chosen.select_related("prior_auth", "second_reading__read_by").order_by("pk")
