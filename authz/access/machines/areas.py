"""PURE: the areas of the API: the first part of each address, and the FHIR type that it stands for, if there is one."""

from collections.abc import Mapping
from typing import Final

TYPE_OF_AREA: Final[Mapping[str, str]] = {
    "aging": "",
    "api-clients": "",
    "appeals": "Claim",
    "audit-entries": "",
    "coverages": "Coverage",
    "emergency-access": "",
    "exemptions": "",
    "fills": "MedicationDispense",
    "identity-questions": "",
    "imports": "",
    "inbox": "",
    "invitations": "",
    "me": "",
    "meta": "",
    "message-burden": "",
    "metrics": "",
    "organizations": "Organization",
    "pain-scores": "Observation",
    "patients": "Patient",
    "peer-to-peer": "Claim",
    "plans": "InsurancePlan",
    "policies": "",
    "prescribers": "Practitioner",
    "prescriptions": "MedicationRequest",
    "prior-authorizations": "Claim",
    "productivity": "",
    "reasons": "",
    "review-queue": "Task",
    "second-readings": "",
    "surgeries": "Procedure",
    "tokens": "",
    "webhook-deliveries": "",
    "webhook-endpoints": "",
}
AREAS: Final = frozenset(TYPE_OF_AREA)

TYPE_OF_ADDRESS: Final[Mapping[str, str]] = {
    "answers": "QuestionnaireResponse",
    "appeal-letter": "DocumentReference",
    "attachment-content": "DocumentReference",
    "attachment-removal": "DocumentReference",
    "attachments": "DocumentReference",
    "disclosures": "",
    "letter": "DocumentReference",
    "opioid-use": "MedicationDispense",
    "opioid-use-changes": "MedicationDispense",
    "packet": "DocumentReference",
    "pain-signal": "Observation",
    "questionnaire": "QuestionnaireResponse",
    "timeline": "MedicationDispense",
}
"""Addresses, by their name, that tell of something else than their area does."""
