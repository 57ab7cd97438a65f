"""An exemption that a request's answers name: recorded by whoever says so, and asked for before anything is sent."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from django.db import transaction

from authz.access.roles import SYSTEM, Actor
from authz.access.tenancy import across_tenants
from authz.ids import PatientId, PriorAuthId
from authz.prescriptions.services import patients
from authz.prior_auths import selectors
from authz.prior_auths.exempt_reasons import facts_named
from authz.prior_auths.exempt_use import exempted, instead_of_asking, is_all_exempt, said_by_people
from authz.prior_auths.lifecycle import Step
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.services import intake, steps

_INSTEAD: Final[Mapping[Step, str]] = {
    Step.RECORD_EXEMPTION: "The payer's policy exempts this: record the exemption instead, or correct this answer.",
    Step.WITHDRAW: (
        "Medicines for opioid use disorder need no authorization: withdraw the request, or correct this answer."
    ),
}


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
    facts = facts_named(said_by_people(prior_auth), exempted=exempted(prior_auth))
    steps.take(prior_auth, Step.RECORD_EXEMPTION, by=by, now=now)
    intake.record_exemption(patient_id=patient_id, facts=facts, by=by, now=now)
    rechecked = steps.lock(prior_auth_id=prior_auth_id, by=by)
    if is_all_exempt(rechecked, facts.starts_on, facts.ends_on):
        with across_tenants("to let a request lapse is the service's own step"):
            steps.take(rechecked, Step.RETRACT, by=SYSTEM, now=now, note="The use is exempt.")
    return rechecked


def why_not_to_ask(prior_auth: PriorAuth) -> str:
    """Return, in a sentence that says what to do instead, why the use needs no asking; empty when nothing says so."""
    instead = instead_of_asking(prior_auth)
    return _INSTEAD[instead] if instead else ""
