"""Fields that name a row of ours, checked with the other fields so that every fault is told at once."""

from typing import Any, ClassVar
from uuid import UUID

from authz.api.fields import PublicId
from authz.ids import PatientId
from authz.prescriptions import selectors


class PatientRef(PublicId):
    """The id of a patient whom the actor's organization knows; a stranger's patient does not exist."""

    default_error_messages: ClassVar[dict[str, Any]] = {"not-found": "There is no such patient."}

    def to_internal_value(self, data: Any) -> UUID:
        patient_id = super().to_internal_value(data)
        if not self._is_known(PatientId(patient_id)):
            self.fail("not-found")
        return patient_id

    def _is_known(self, patient_id: PatientId) -> bool:
        # A batch names few patients many times: each is looked up once.
        known: dict[UUID, bool] = self.context["known_patients"]
        if patient_id not in known:
            known[patient_id] = selectors.patients(self.context["by"]).filter(public_id=patient_id).exists()
        return known[patient_id]
