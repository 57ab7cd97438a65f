"""An accounting to a patient of who received what the organization holds of them, as a file."""

from uuid import UUID

from django.http import HttpRequest, StreamingHttpResponse

from authz.ids import PatientId
from authz.reporting.accounting import accounting
from authz.reporting.disclosures import disclosure_lines
from authz.web.pages import Page
from authz.web.sheets import streamed


class DisclosuresSheet(Page):
    """The last six years of it."""

    def get(self, request: HttpRequest, patient_id: UUID) -> StreamingHttpResponse:
        found = accounting(self.actor, PatientId(patient_id), now=self.now)
        return streamed(self, "disclosures", lines=disclosure_lines(found.lines))
