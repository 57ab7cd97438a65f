"""An exemption that a request's answers name: recorded by whoever says so, and asked for before anything is sent."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from django.db import transaction

from authz import clock
from authz.access.roles import SYSTEM, Actor
from authz.access.tenancy import across_tenants
from authz.documentation.conditions import JsonValue
from authz.documentation.questionnaire import as_day
from authz.documentation.standing import Standing
from authz.ids import PatientId, PriorAuthId
from authz.prescriptions.models import Exemption
from authz.prescriptions.services import patients
from authz.prior_auths import selectors
from authz.prior_auths.answer_sheet import standing_of
from authz.prior_auths.exempt_reasons import TREATS_OUD, category_named, facts_named
from authz.prior_auths.lifecycle import Step
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.services import intake, steps


@transaction.atomic
def record_exemption(
    *, prior_auth_id: PriorAuthId, by: Actor, now: datetime, expected_version: int | None = None
) -> PriorAuth:
    """Record the exemption that the confirmed answers name; the request lapses when nothing else needs authorization.

    :raises InvalidInput: when they name none that the payer's policy exempts, or its evidence or first day is missing.
    """
    patient_id = PatientId(selectors.prior_auth(by, prior_auth_id).patient.public_id)
    # The patient first, as wherever a fact is recorded: the recheck locks the requests after it.
    patients.lock_patient(patient_id=patient_id, by=by)
    prior_auth = steps.lock(prior_auth_id=prior_auth_id, by=by, expected_version=expected_version)
    steps.must_be_legal(prior_auth, Step.RECORD_EXEMPTION, by)
    answers = _confirmed(standing_of(prior_auth, on=clock.day_in(prior_auth.clinic.time_zone, at=now)))
    facts = facts_named(answers, exempted=_exempted(prior_auth))
    steps.take(prior_auth, Step.RECORD_EXEMPTION, by=by, now=now)
    intake.record_exemption(patient_id=patient_id, facts=facts, by=by, now=now)
    rechecked = steps.lock(prior_auth_id=prior_auth_id, by=by)
    if rechecked.need_in_doubt_at is not None:
        with across_tenants("to let a request lapse is the service's own step"):
            steps.take(rechecked, Step.RETRACT, by=SYSTEM, now=now, note="The use is exempt.")
    return rechecked


def why_not_to_ask(*, prior_auth: PriorAuth, answers: Sequence[Standing]) -> str:
    """Return, in a sentence that says what to do instead, why the use needs no asking; empty when nothing says so."""
    said = _confirmed(answers)
    if said.get("ex.reason") == TREATS_OUD:
        return "Medicines for opioid use disorder need no authorization: withdraw the request, or correct this answer."
    category = category_named(said, exempted=_exempted(prior_auth))
    if category is None:
        return ""
    own = Exemption.objects.filter(patient=prior_auth.patient_id, organization=prior_auth.clinic_id, withdrawn_at=None)
    starts_on, ends_on = as_day(said.get("ex.start")), as_day(said.get("ex.end"))
    is_recorded = own.filter(category=category.value, starts_on=starts_on, ends_on=ends_on)
    if is_recorded.exists() and prior_auth.need_in_doubt_at is None:
        return ""  # It is known, and leaves days that need authorization.
    return "The payer's policy exempts this: record the exemption instead, or correct this answer."


def _confirmed(answers: Sequence[Standing]) -> Mapping[str, JsonValue]:
    return {one.question.link_id: one.value for one in answers if one.counts}


def _exempted(prior_auth: PriorAuth) -> Collection[str]:
    """Return the categories exempt under the policy that answered; an evaluation kept without inputs tells none."""
    categories: Collection[str] = prior_auth.evaluation.inputs.get("policy", {}).get("exempt_categories", ())
    return categories
