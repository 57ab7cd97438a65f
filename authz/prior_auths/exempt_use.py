"""Use that needs no asking, by the answers of its request: what to do instead of sending it."""

from collections.abc import Collection, Mapping

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
    return None if is_recorded and prior_auth.need_in_doubt_at is None else Step.RECORD_EXEMPTION


def exempted(prior_auth: PriorAuth) -> Collection[str]:
    """Return the categories exempt under the policy that answered; an evaluation kept without inputs tells none."""
    categories: Collection[str] = prior_auth.evaluation.inputs.get("policy", {}).get("exempt_categories", ())
    return categories
