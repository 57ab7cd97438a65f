"""The rooms' models, listed for Django. Nothing is defined here."""

from authz.access.models import (
    AccessToken,
    ApiClient,
    Licence,
    Membership,
    Organization,
    Person,
    ReportingLine,
    SeenAssertion,
)
from authz.access.people.models import FailedLogIn
from authz.administration.models import Invitation
from authz.api.models import IdempotentAnswer
from authz.audit.models import AuditEntry, AuditRoot
from authz.documentation.models import Answer, AnswerSheet, Attachment, Paper, RenderedPaper, StoredFile
from authz.formulary.models import FormularyProduct, FormularyRelease, NdcCode
from authz.imports.models import ImportRejection, ImportRun
from authz.notifications.channels.webhook.models import WebhookEndpoint, WebhookSecret
from authz.notifications.digests.models import Digest
from authz.notifications.matters.models import Escalation, Matter
from authz.notifications.models import Delivery, InboxEntry
from authz.notifications.wishes.models import Cover, Delegate, NotificationSettings
from authz.operations.models import Heartbeat
from authz.outbox.models import OutboxMessage
from authz.pain.models import PainHint, PainScore, PainScoreVersion, Surgery, SurgeryVersion
from authz.policies.models import PayerPolicy, PayerReason, Plan
from authz.prescriptions.emergency.models import EmergencyAccess
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
    Absence,
    Appeal,
    AppealDecision,
    AppealEvent,
    Authorization,
    Breach,
    Call,
    CallEvent,
    CallTime,
    Determination,
    DeterminationLine,
    Evaluation,
    Event,
    IndependentReview,
    InformationRequest,
    PriorAuth,
    Recheck,
    RequestedLine,
    SecondReading,
    Skip,
)
from authz.simulations.models import Simulation

__all__ = [
    "Absence",
    "AccessToken",
    "Answer",
    "AnswerSheet",
    "ApiClient",
    "Appeal",
    "AppealDecision",
    "AppealEvent",
    "Attachment",
    "AuditEntry",
    "AuditRoot",
    "Authorization",
    "Breach",
    "Call",
    "CallEvent",
    "CallTime",
    "Cover",
    "Coverage",
    "Delegate",
    "Delivery",
    "Determination",
    "DeterminationLine",
    "Digest",
    "EmergencyAccess",
    "Escalation",
    "Evaluation",
    "Event",
    "Exemption",
    "FailedLogIn",
    "Fill",
    "FillVersion",
    "FormularyProduct",
    "FormularyRelease",
    "Heartbeat",
    "IdempotentAnswer",
    "IdentityQuestion",
    "ImportRejection",
    "ImportRun",
    "InboxEntry",
    "IndependentReview",
    "InformationRequest",
    "Invitation",
    "Licence",
    "Matter",
    "Membership",
    "NdcCode",
    "NotificationSettings",
    "Organization",
    "OutboxMessage",
    "PainHint",
    "PainScore",
    "PainScoreVersion",
    "Paper",
    "Patient",
    "PatientIdentifier",
    "PayerPolicy",
    "PayerReason",
    "Person",
    "Plan",
    "Prescriber",
    "Prescription",
    "PrescriptionVersion",
    "PriorAuth",
    "Recheck",
    "RenderedPaper",
    "ReportingLine",
    "RequestedLine",
    "SecondReading",
    "SeenAssertion",
    "Simulation",
    "Skip",
    "StoredFile",
    "Surgery",
    "SurgeryVersion",
    "WebhookEndpoint",
    "WebhookSecret",
]
