"""The due instants kept for ordering, held against those that are computed."""

from uuid import UUID

from django.db import transaction

from authz.prior_auths import selectors
from authz.prior_auths.lifecycle import UNDECIDED
from authz.prior_auths.models import PriorAuth


def mend() -> list[UUID]:
    """Compute the due instant of every undecided request anew, and return those of which another one was kept."""
    undecided = PriorAuth.objects.filter(state__in=[state.value for state in UNDECIDED]).order_by("pk")
    return [found for key in undecided.values_list("pk", flat=True) if (found := _mend_one(key))]


@transaction.atomic
def _mend_one(key: int) -> UUID | None:
    prior_auth = PriorAuth.objects.select_for_update().get(pk=key)
    due = selectors.due(prior_auth)
    computed = due.at if due else None
    if prior_auth.due_at == computed:
        return None
    prior_auth.due_at = computed
    prior_auth.save(update_fields=["due_at"])
    return prior_auth.public_id
