"""The organization's audit trail as a file."""

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

from authz.audit import selectors, services
from authz.reporting.trail_sheet import trail_lines
from authz.web.pages import Page


class TrailSheet(Page):
    """All of it as CSV; the API narrows it. That it was taken out is on the trail, too."""

    def get(self, request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
        rows = selectors.entries(self.actor)
        services.note_looked_at(by=self.actor, now=self.now, is_export=True)
        lines = trail_lines(selectors.in_batches(self.actor, rows))
        answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="audit-trail-{self.today().isoformat()}.csv"'
        answer["X-Content-Type-Options"] = "nosniff"
        return answer
