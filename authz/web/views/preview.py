"""What the insurer will see of a request, before it is sent."""

from django.http import HttpRequest, HttpResponse

from authz.ids import PriorAuthId
from authz.prior_auths import selectors
from authz.prior_auths.packet_preview import packet_preview
from authz.web.pages import Page


class PacketPreview(Page):
    """The packet as it would be sent now; printed, it is the packet on paper."""

    def get(self, request: HttpRequest, prior_auth_id: PriorAuthId) -> HttpResponse:
        prior_auth = selectors.prior_auth(self.actor, prior_auth_id)
        paper = packet_preview(self.actor, prior_auth_id, now=self.now).to_json()
        documents = [row for row in selectors.attachments(self.actor, prior_auth) if row.removed_at is None]
        return self.show("pages/preview.html", prior_auth=prior_auth, paper=paper, documents=documents)
