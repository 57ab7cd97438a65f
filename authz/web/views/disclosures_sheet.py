"""An accounting to a patient of who received what the organization holds of them, as a file."""

from uuid import UUID

from django.http import HttpRequest, StreamingHttpResponse

from authz.ids import PatientId
from authz.reporting.accounting import accounting
from authz.reporting.disclosures import disclosure_lines
from authz.web.pages import Page


class DisclosuresSheet(Page):
    """The last six years of it."""

    def get(self, request: HttpRequest, patient_id: UUID) -> StreamingHttpResponse:
        found = accounting(self.actor, PatientId(patient_id), now=self.now)
        answer = StreamingHttpResponse(disclosure_lines(found.lines), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="disclosures-{self.today().isoformat()}.csv"'
        answer["X-Content-Type-Options"] = "nosniff"
        return answer
