"""Use that needs no asking, by the answers of its request: what to do instead of sending it."""

from collections.abc import Collection, Mapping
from datetime import date

from django.db.models import Q

from authz.documentation.conditions import JsonValue
from authz.documentation.questionnaire import as_day
from authz.prescriptions.models import Exemption
from authz.prior_auths.exempt_reasons import ANSWER_FOR, TREATS_OUD, category_named
from authz.prior_auths.lifecycle import Step
from authz.prior_auths.models import PriorAuth


def said_by_people(prior_auth: PriorAuth) -> Mapping[str, JsonValue]:
    """Return the answers that a person stands behind, by question; none before the request is taken up."""
    rows = prior_auth.answers.answers.all() if prior_auth.answers else ()
    return {row.question: row.value for row in rows if row.confirmed_at is not None}


def instead_of_asking(prior_auth: PriorAuth) -> Step | None:
    """Return the step to take instead: to record the exemption that the answers name, or to withdraw the request.

    None where nothing says that the use needs no authorization.
    """
    said = said_by_people(prior_auth)
    if said.get("ex.reason") == TREATS_OUD:
        return Step.WITHDRAW
    # What the policy exempts is looked up only for who may be exempt: in a list hardly anybody is.
    is_named = said.get("ex.reason") in ANSWER_FOR.values()
    category = category_named(said, exempted=exempted(prior_auth)) if is_named else None
    if category is None:
        return None
    own = Exemption.objects.filter(patient=prior_auth.patient_id, organization=prior_auth.clinic_id, withdrawn_at=None)
    starts_on, ends_on = as_day(said.get("ex.start")), as_day(said.get("ex.end"))
    is_recorded = own.filter(category=category.value, starts_on=starts_on, ends_on=ends_on).exists()
    # One that is known can leave days that need authorization.
    leaves_days = is_recorded and not is_all_exempt(prior_auth, starts_on, ends_on)
    return None if leaves_days else Step.RECORD_EXEMPTION


def is_all_exempt(prior_auth: PriorAuth, starts_on: date | None, ends_on: date | None) -> bool:
    """Say whether a recorded exemption of these days leaves nothing of the request that needs authorization.

    The rule doubts the need then, but neither of what people opened without it nor of a renewal that lies ahead: the
    days that these ask for are held against the exemption's own.
    """
    if prior_auth.need_in_doubt_at is not None:
        return True
    is_the_rules = not prior_auth.reason and prior_auth.renews_id is None
    beyond = Q(starts_on__lt=starts_on or date.min) | Q(ends_on__gt=ends_on or date.max)
    return not is_the_rules and not prior_auth.lines.filter(beyond).exists()


def exempted(prior_auth: PriorAuth) -> Collection[str]:
    """Return the categories exempt under the policy that answered; an evaluation kept without inputs tells none."""
    categories: Collection[str] = prior_auth.evaluation.inputs.get("policy", {}).get("exempt_categories", ())
    return categories
