"""Whose each table's rows are: the one list of what is under row-level security, and of what is everybody's and why.

The policies themselves are SQL, in the migrations; tests hold this list against every model and against the database.
"""

from collections.abc import Mapping
from typing import Final

_OWN = "the organization it names"
_REQUEST = "whoever may know the request"

UNDER_POLICY: Final[Mapping[str, str]] = {
    # -- organizations, people and machines
    "Organization": "itself; clinics read insurers, insurers who submitted to them, all whose emergency is theirs too",
    "Membership": _OWN,
    "ReportingLine": _OWN,
    "Licence": "the organizations of which its holder is a member",
    "ApiClient": _OWN,
    "AccessToken": _OWN,
    "SeenAssertion": "whose the client is",
    "Invitation": _OWN,
    "IdempotentAnswer": "the organization that asked",
    "AuditEntry": _OWN,
    "AuditRoot": _OWN,
    # -- patients and what is known of them
    "PatientIdentifier": "the organization whose number it is",
    "Patient": "the organizations that have a number for them; read by whoever opened their record in an emergency",
    "EmergencyAccess": "whose clinician it was; read by all who know the patient",
    "IdentityQuestion": _OWN,
    "IdentityQuestion_patients": "whose the question is",
    "Coverage": "who recorded it, and the plan's insurer; read by whoever may know a request under it",
    "Prescriber_organizations": _OWN,
    "Prescription": _OWN,
    "PrescriptionVersion": "whose the order is",
    "Fill": _OWN,
    "FillVersion": "whose the fill is",
    "Exemption": _OWN,
    "PainScore": _OWN,
    "PainScoreVersion": "whose the score is",
    "Surgery": _OWN,
    "SurgeryVersion": "whose the surgery is",
    "PainHint": "the clinic",
    # -- payers
    "Plan": "the insurer; every clinic reads it",
    "PayerPolicy": "the insurer",
    "PayerReason": "the insurer",
    "Simulation": "the policy's insurer",
    # -- requests and all that hangs on them
    "PriorAuth": "its clinic and, once it is submitted, its insurer",
    "Evaluation": "none to write; read by clinics that know the patient, and by the plan's insurer",
    "Recheck": "no organization",
    "Event": _REQUEST,
    "RequestedLine": _REQUEST,
    "Breach": _REQUEST,
    "InformationRequest": _REQUEST,
    "InformationRequest_documents": _REQUEST,
    "Determination": "whoever may know the request; its insurer alone writes them",
    "DeterminationLine": _REQUEST,
    "SecondReading": _REQUEST,
    "Authorization": _REQUEST,
    "Appeal": _REQUEST,
    "Appeal_documents": _REQUEST,
    "AppealEvent": _REQUEST,
    "AppealDecision": _REQUEST,
    "IndependentReview": "whoever may know the request; its insurer alone writes it",
    "Call": _REQUEST,
    "CallTime": _REQUEST,
    "CallEvent": _REQUEST,
    "Skip": "the request's insurer",
    "Absence": _OWN,
    # -- answers, documents, papers
    "AnswerSheet": "who wrote it, and whoever may know the request it belongs to",
    "Answer": "whose the sheet is",
    "Attachment": "whose the sheet is",
    "StoredFile": "who wrote it, and whose the document or paper is",
    "Paper": _REQUEST,
    "RenderedPaper": _REQUEST,
    # -- files taken in
    "ImportRun": _OWN,
    "ImportRejection": "whose the import is",
    # -- telling people and systems
    "OutboxMessage": "who wrote it; read by whom it is told",
    "Delivery": _OWN,
    "InboxEntry": _OWN,
    "Digest": _OWN,
    "Matter": _OWN,
    "Escalation": "whose the matter is",
    "NotificationSettings": "the organizations of which the person is a member",
    "Delegate": _OWN,
    "Cover": _OWN,
    "WebhookEndpoint": _OWN,
    "WebhookSecret": "whose the endpoint is",
}

SHARED: Final[Mapping[str, str]] = {
    "FailedLogIn": "counted before anybody is known; it has a hash of an address, and where the guess came from",
    "Person": "people act for several organizations, log in before any is chosen, and sign what both sides read",
    "Prescriber": "the public register of NPIs; with whom one works is in Prescriber_organizations",
    "Heartbeat": "when each part of the service was last seen at work; nothing of any organization",
    "AuditRetention": "how long every organization's trail is kept at least; nothing of any of them",
    "FormularyRelease": "RxNorm is everybody's",
    "FormularyProduct": "RxNorm is everybody's",
    "NdcCode": "RxNorm is everybody's",
}
