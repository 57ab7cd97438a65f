"""Public ids. Rows have bigint keys inside and UUIDs outside; each kind of id has its own type."""

from typing import NewType
from uuid import UUID, uuid4

OrganizationId = NewType("OrganizationId", UUID)
ApiClientId = NewType("ApiClientId", UUID)
InvitationId = NewType("InvitationId", UUID)
PersonId = NewType("PersonId", UUID)
LicenceId = NewType("LicenceId", UUID)
PatientId = NewType("PatientId", UUID)
IdentityQuestionId = NewType("IdentityQuestionId", UUID)
CoverageId = NewType("CoverageId", UUID)
PlanId = NewType("PlanId", UUID)
PayerPolicyId = NewType("PayerPolicyId", UUID)
PrescriberId = NewType("PrescriberId", UUID)
PrescriptionId = NewType("PrescriptionId", UUID)
FillId = NewType("FillId", UUID)
ExemptionId = NewType("ExemptionId", UUID)
PainScoreId = NewType("PainScoreId", UUID)
SurgeryId = NewType("SurgeryId", UUID)
PriorAuthId = NewType("PriorAuthId", UUID)
DeterminationId = NewType("DeterminationId", UUID)
AppealId = NewType("AppealId", UUID)
CallId = NewType("CallId", UUID)
CallTimeId = NewType("CallTimeId", UUID)
NoticeId = NewType("NoticeId", UUID)
WebhookEndpointId = NewType("WebhookEndpointId", UUID)
WebhookDeliveryId = NewType("WebhookDeliveryId", UUID)


def new_id() -> UUID:
    """Return a fresh public id."""
    return uuid4()
