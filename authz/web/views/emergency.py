"""What administrators see of records that were opened in an emergency."""

from django.http import HttpRequest, HttpResponse

from authz.prescriptions.emergency import selectors
from authz.web.pages import Page

_MOST = 200


class EmergencyPage(Page):
    """Who opened what, when and why, the newest first."""

    def get(self, request: HttpRequest) -> HttpResponse:
        found = selectors.accesses(self.actor).order_by("-pk")[:_MOST]
        return self.show("pages/emergency.html", accesses=found)
