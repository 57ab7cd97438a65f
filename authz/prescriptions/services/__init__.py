"""Every write of this room: `patients` for who they are and what covers them, `records` for orders and fills."""

from authz.prescriptions.services.patients import (
    CoverageRecorded,
    RecordOutcome,
    link_log_in,
    record_prescriber,
    register_patient,
)

__all__ = ["CoverageRecorded", "RecordOutcome", "link_log_in", "record_prescriber", "register_patient"]
