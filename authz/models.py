"""The rooms' models, listed for Django. Nothing is defined here."""

from authz.access.models import AccessToken, ApiClient, Licence, Membership, Organization, Person
from authz.api.models import IdempotentAnswer
from authz.audit.models import AuditEntry
from authz.documentation.models import Answer, AnswerSheet, Attachment, Paper, StoredFile
from authz.imports.models import ImportRejection, ImportRun
from authz.notifications.models import Delivery, InboxEntry
from authz.outbox.models import OutboxMessage
from authz.policies.models import PayerPolicy, Plan
from authz.prescriptions.models import (
    Coverage,
    Exemption,
    Fill,
    FillVersion,
    IdentityQuestion,
    Patient,
    PatientIdentifier,
    Prescriber,
    Prescription,
    PrescriptionVersion,
)
from authz.prior_auths.models import (
    Authorization,
    Determination,
    DeterminationLine,
    Evaluation,
    Event,
    InformationRequest,
    PriorAuth,
    Recheck,
    RequestedLine,
)

__all__ = [
    "AccessToken",
    "Answer",
    "AnswerSheet",
    "ApiClient",
    "Attachment",
    "AuditEntry",
    "Authorization",
    "Coverage",
    "Delivery",
    "Determination",
    "DeterminationLine",
    "Evaluation",
    "Event",
    "Exemption",
    "Fill",
    "FillVersion",
    "IdempotentAnswer",
    "IdentityQuestion",
    "ImportRejection",
    "ImportRun",
    "InboxEntry",
    "InformationRequest",
    "Licence",
    "Membership",
    "Organization",
    "OutboxMessage",
    "Paper",
    "Patient",
    "PatientIdentifier",
    "PayerPolicy",
    "Person",
    "Plan",
    "Prescriber",
    "Prescription",
    "PrescriptionVersion",
    "PriorAuth",
    "Recheck",
    "RequestedLine",
    "StoredFile",
]
