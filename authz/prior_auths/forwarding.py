"""What became adverse by law and is to be with the independent reviewer, and what is with them."""

from datetime import datetime

from django.db import connection
from django.db.models import QuerySet

from authz.policies.history import Kind
from authz.prior_auths import selectors
from authz.prior_auths.appeal_lifecycle import AppealState, AppealStep
from authz.prior_auths.determination import Outcome
from authz.prior_auths.lifecycle import Step
from authz.prior_auths.models import AppealEvent, Determination, PriorAuth


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


def was_forwarded(prior_auth: PriorAuth) -> bool:
    """Say whether a request, or an appeal of it, ever went to the independent reviewer: then the decision is theirs."""
    is_itself = prior_auth.events.filter(step=Step.FORWARD.value).exists()
    return is_itself or prior_auth.appeals.filter(state=AppealState.EXTERNAL.value).exists()


def is_with_independent_reviewer(prior_auth: PriorAuth) -> bool:
    """Say whether a request, or an appeal of it, was forwarded, and what was decided there is not recorded yet."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT authz_is_with_independent_reviewer(%s)", [prior_auth.pk])
        return bool(cursor.fetchone()[0])


def forwarded_at(prior_auth: PriorAuth) -> datetime:
    """Return when a request that was forwarded, or an appeal of it, first was."""
    request = prior_auth.events.filter(step=Step.FORWARD.value).values_list("at", flat=True)
    on_appeal = AppealEvent.objects.filter(appeal__prior_auth=prior_auth, step=AppealStep.FORWARD.value)
    return min([*request, *on_appeal.values_list("at", flat=True)])
