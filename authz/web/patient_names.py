"""What the reader's organization calls a patient; never what another one typed."""

from collections.abc import Iterable

from authz.access.roles import INSURER_ROLES, Actor
from authz.prescriptions import selectors as prescriptions
from authz.prescriptions.models import Patient, PatientIdentifier
from authz.prior_auths.models import PriorAuth


def names(by: Actor, patient_keys: Iterable[int]) -> dict[int, str]:
    """Return the name of each of the patients the organization knows, by the row's key."""
    known = prescriptions.patients(by).filter(pk__in=set(patient_keys))
    return {patient.pk: name(own_identifiers(patient), by) for patient in known}


def own_identifiers(patient: Patient) -> list[PatientIdentifier]:
    """Return what the organization calls a patient, as `prescriptions.selectors.patients` put it there."""
    found: list[PatientIdentifier] = patient.own_identifiers  # type: ignore[attr-defined]  # a prefetch's to_attr
    return found


def name(identifiers: list[PatientIdentifier], by: Actor) -> str:
    """Return the latest name typed; without any, the number. An insurer often has no name, only a member's number."""
    if not identifiers:
        return "A patient not known here"
    latest = identifiers[-1]
    return called(value=latest.value, given_name=latest.given_name, family_name=latest.family_name, by=by)


def called(*, value: str, given_name: str, family_name: str, by: Actor) -> str:
    """Return the name typed; without any, the number."""
    typed = " ".join(part for part in (given_name, family_name) if part)
    return typed or f"{'Number' if by.roles.isdisjoint(INSURER_ROLES) else 'Member'} {value}"


def name_in_case(prior_auth: PriorAuth, known: dict[int, str]) -> str:
    """Return whom a request is about: failing any name, by the member's number."""
    if prior_auth.patient_id in known:
        return known[prior_auth.patient_id]
    return f"Member {prior_auth.coverage.member_id}" if prior_auth.coverage else "A patient not known here"
