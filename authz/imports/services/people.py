"""Take in what lines tell of patients and coverages."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from django.db import transaction

from authz.errors import AuthzError, InvalidInput
from authz.ids import PatientId
from authz.imports.refusals import Refusal
from authz.imports.services.reception import Reception, Tally
from authz.imports.told import CoverageTold, Kind, PatientTold
from authz.prescriptions.facts import CoverageFacts, PatientFacts
from authz.prescriptions.models import PatientIdentifier
from authz.prescriptions.services import CoverageRecorded, RecordOutcome
from authz.prior_auths.services import intake


def take_patients(
    *, lines: Sequence[tuple[int, PatientTold]], reception: Reception, tally: Tally, now: datetime
) -> None:
    """Register each patient under the organization's own number; a refused one is counted and the rest goes on."""
    for number, told in lines:
        try:
            with transaction.atomic():
                patient_id, outcome = register(facts=told.facts, reception=reception, now=now)
                reception.welcome(patient_id, told.addresses)
        except (AuthzError, Refusal) as error:
            tally.refuse(number, as_refusal(error, path="Patient"))
        else:
            tally.count(Kind.PATIENT, outcome.value)


def register(*, facts: PatientFacts, reception: Reception, now: datetime) -> tuple[PatientId, RecordOutcome]:
    """Register one patient. A file that leaves out names does not take away the ones that are known.

    :raises AuthzError: as the registration does.
    """
    if not facts.family_name and not facts.given_name:
        known = PatientIdentifier.objects.filter(assigner=reception.organization, value_index=facts.identifier).first()
        if known is not None:
            facts = replace(facts, family_name=known.family_name, given_name=known.given_name)
    patient, outcome = intake.register_patient(facts=facts, by=reception.by, now=now)
    return PatientId(patient.public_id), outcome


def take_coverages(
    *, lines: Sequence[tuple[int, CoverageTold]], reception: Reception, tally: Tally, now: datetime
) -> None:
    """Record each coverage. A payer whose plan is not known by exact name and code is kept with its rules unknown."""
    numbered = reception.numbered(told.patient for _, told in lines)
    for number, told in lines:
        try:
            patient_id = reception.find(told.patient, numbered, "Coverage.beneficiary")
            done = intake.record_coverage(
                patient_id=patient_id, facts=_facts(told, reception), by=reception.by, now=now
            )
            _must_be_settled(done)
        except (AuthzError, Refusal) as error:
            tally.refuse(number, as_refusal(error, path="Coverage"))
        else:
            tally.count(Kind.COVERAGE, done.outcome.value)
            tally.touched.add(patient_id)


def _facts(told: CoverageTold, reception: Reception) -> CoverageFacts:
    return CoverageFacts(
        plan_id=reception.plans.get((told.payer_name.casefold(), told.plan_code)),
        payer_name=told.payer_name,
        member_id=told.member_id,
        starts_on=told.starts_on,
        ends_on=told.ends_on,
        priority=told.priority,
    )


def _must_be_settled(done: CoverageRecorded) -> None:
    if done.coverage is None:
        sentence = "The member id belongs to another patient; a person is asked whether they are the same."
        raise Refusal("who-is-who", "Coverage.subscriberId", sentence)


def as_refusal(error: AuthzError | Refusal, *, path: str) -> Refusal:
    """Return why a line was refused, naming the first field that is wrong."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, InvalidInput) and error.fields:
        name, sentences = next(iter(error.fields.items()))
        return Refusal(error.code, f"{path}.{name}" if path else name, sentences[0])
    return Refusal(error.code, path, error.detail)
