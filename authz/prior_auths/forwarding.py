"""What became adverse by law, and is to be with the independent reviewer."""

from datetime import datetime

from django.db.models import QuerySet

from authz.policies.history import Kind
from authz.prior_auths import selectors
from authz.prior_auths.determination import Outcome
from authz.prior_auths.lifecycle import Step
from authz.prior_auths.models import Determination, PriorAuth


def unforwarded() -> QuerySet[Determination]:
    """Return what is adverse by law, and has not been forwarded."""
    in_force = Determination.objects.filter(outcome=Outcome.DEEMED_ADVERSE.value, superseded_by=None)
    return in_force.exclude(prior_auth__events__step=Step.FORWARD.value)


def forward_by(prior_auth: PriorAuth) -> datetime | None:
    """Return when a request is to be with the independent reviewer; None when it is there, or need not be."""
    if not unforwarded().filter(prior_auth=prior_auth).exists():
        return None
    clock = selectors.clocks_of(prior_auth).get(Kind.FORWARD_BY)
    return clock.due_at if clock else None
